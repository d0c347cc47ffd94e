"""Closes scans that nobody closed: open scans come in, closed or continued ones go out.

A chord is the trigger of a scan's end, not its guarantee: its last message can be lost. Beat
calls this every 15 seconds.
"""

from __future__ import annotations

import math
import time
from typing import Final

import structlog

from scanner.bars.budget import parse_rate
from scanner.bootstrap import Runtime
from scanner.results.redis_records import ScanProgress
from scanner.results.report import RUNNING
from worker.finish import finish, unfinished_symbols
from worker.tasks import scan_symbols

log = structlog.get_logger(__name__)

#: Seconds between two calls.
PERIOD: Final = 15.0


def reconcile(runtime: Runtime) -> None:
    """Close each open scan that is complete or past its deadline, and go on with the others."""
    for scan_id, deadline in runtime.state.open_scans().items():
        if time.time() >= deadline:
            log.warning("scan reached its deadline", scan=scan_id)
            finish(runtime, scan_id, at_deadline=True)
            continue
        progress = runtime.state.progress(scan_id)
        if progress is None or progress.state != RUNNING:
            _take_over(runtime, scan_id, progress)
        elif _all_tasks_ended(progress) and finish(runtime, scan_id) is None:
            _go_on(runtime, scan_id, progress)


def _take_over(runtime: Runtime, scan_id: str, progress: ScanProgress | None) -> None:
    """Finish a scan whose closer has died; one that is still planned has its deadline."""
    if progress is None or progress.state == "closing":
        finish(runtime, scan_id)


def _all_tasks_ended(progress: ScanProgress) -> bool:
    done = float(progress.fields.get("tasks", 0.0))
    return done >= float(progress.fields.get("batches", math.inf))


def _go_on(runtime: Runtime, scan_id: str, progress: ScanProgress) -> None:
    """Give symbols that were deferred to the workers again, as many as the budget lets through."""
    rate = parse_rate(runtime.settings.rate)
    threads = runtime.settings.workers * runtime.settings.threads
    room = 1_000 if rate is None else math.ceil(PERIOD * rate.limit / rate.window) + threads
    symbols = unfinished_symbols(runtime, scan_id)[:room]
    batches = int(progress.fields["batches"])
    runtime.state.note(scan_id, {"batches": batches + len(symbols)})
    for number, symbol in enumerate(symbols, start=batches):
        scan_symbols.delay(scan_id, number, [symbol])
    log.info("symbols given out again", scan=scan_id, symbols=len(symbols))
