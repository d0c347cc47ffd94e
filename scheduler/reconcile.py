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
from scanner.errors import ScannerError, StoreUnavailable, TransientError
from scanner.redis_errors import redis_errors
from scanner.results.redis_records import ScanProgress
from scanner.results.report import FINISHED, PLANNED, RUNNING
from scheduler.dispatch import start_scan
from scheduler.open_scans import report_lost
from scheduler.take_up import has_no_planner
from worker.celery import app
from worker.config import SCAN_QUEUE
from worker.finish import finish
from worker.rounds import next_round, unfinished
from worker.take_over import take_over
from worker.tasks import hand_outs, scan_symbols

log = structlog.get_logger(__name__)

#: Seconds between two calls.
PERIOD: Final = 15.0
#: Seconds without a record, longer than a task waits for the budget, after which messages that
#: are not in the queue are taken for lost.
STALLED_AFTER: Final = 45.0
#: The same where no process has begun any task of the scan that it has not ended.
LOST_AFTER: Final = 2.0
#: Rounds of giving out without a new record after which a scan is closed as degraded.
IDLE_ROUNDS: Final = 3


def reconcile(runtime: Runtime) -> None:
    """Close each open scan that is complete or past its deadline, and go on with the others."""
    try:
        report_lost(runtime)
    except (ScannerError, ValueError):
        log.exception("open scans cannot be read")
    _take_over_here(runtime)
    for scan_id, deadline in runtime.state.open_scans().items():
        try:
            _look_after(runtime, scan_id, deadline)
        except Exception as error:
            # What is not ours in the fields of one scan must not keep the others open.
            if isinstance(error, StoreUnavailable) and error.passes:
                raise
            log.exception("scan cannot be read", scan=scan_id)
            if time.time() >= deadline and not isinstance(error, TransientError):
                runtime.state.give_up(scan_id, f"{_UNREADABLE}: {type(error).__name__}: {error}")


def _take_over_here(runtime: Runtime) -> None:
    """Go on with what dead processes of this machine had begun: their next ones may not come."""
    try:
        take_over(runtime, runtime.state.left_here(), hand_outs())
    except (ScannerError, ValueError, TypeError, LookupError) as error:
        # What is not ours among the tasks must not keep scans open.
        if isinstance(error, StoreUnavailable) and error.passes:
            raise
        log.exception("tasks of dead processes cannot be read")


_UNREADABLE: Final = "the scan's state in Redis cannot be read"


def _look_after(runtime: Runtime, scan_id: str, deadline: float) -> None:
    """Close one scan if it is complete or past its deadline, or go on with it."""
    progress = runtime.state.progress(scan_id)
    if progress is not None and progress.state in FINISHED:
        runtime.state.forget_open(scan_id)
    elif time.time() >= deadline:
        log.warning("scan reached its deadline", scan=scan_id)
        finish(runtime, scan_id, at_deadline=True)
    elif progress is not None and progress.state == PLANNED:
        _ask_again(runtime, scan_id, progress)
    elif progress is None or progress.state != RUNNING:
        _take_over(runtime, scan_id, progress)
    elif _idle(runtime, scan_id, progress) and finish(runtime, scan_id) is None:
        _go_on(runtime, scan_id, progress)


def resume(runtime: Runtime, scan_id: str) -> None:
    """Give out what has no final record of a scan that was reopened."""
    progress = runtime.state.progress(scan_id)
    if progress is None or progress.state != RUNNING or "round_recorded" in progress.fields:
        return  # the reconciler was first
    _go_on(runtime, scan_id, progress)


def _ask_again(runtime: Runtime, scan_id: str, progress: ScanProgress) -> None:
    """Go on with a planned scan: its message was lost, or sessions have come, or not all."""
    fields = progress.fields
    if "market_now" not in fields:
        if has_no_planner(progress):
            app.send_task("start_scan", (scan_id,))
        return
    if fields.get("round_over") == "1" or _stalled(runtime, scan_id, progress):
        start_scan(runtime, scan_id)


def _take_over(runtime: Runtime, scan_id: str, progress: ScanProgress | None) -> None:
    """Finish a scan whose closer has died; one that is still planned has its deadline."""
    if progress is None or progress.state == "closing":
        finish(runtime, scan_id)


def _idle(runtime: Runtime, scan_id: str, progress: ScanProgress) -> bool:
    """Return whether a running scan waits for nothing that is under way."""
    if progress.recorded == progress.total:
        return True
    return progress.all_ended or _stalled(runtime, scan_id, progress)


def _stalled(runtime: Runtime, scan_id: str, progress: ScanProgress) -> bool:
    """Return whether messages were lost: none is queued, and nothing has moved for a while."""
    counts = [progress.fields.get(name, "0") for name in ("tasks", "sessions_done")]
    moved = "+".join([str(progress.recorded), str(progress.waiting), *counts])
    now = time.time()
    if progress.fields.get("moved") != moved:
        runtime.state.note(scan_id, {"moved": moved, "moved_at": now})
        return False
    with redis_errors("look at the queue"):
        queued = runtime.redis.llen(SCAN_QUEUE)
    quiet = now - float(progress.fields["moved_at"])
    if queued or quiet < LOST_AFTER:
        return False
    if quiet >= STALLED_AFTER:
        return True
    # When all sessions have come somebody plans, and nothing is under way.
    planning = progress.state == PLANNED and _all_came(progress)
    return not planning and not runtime.state.under_way(scan_id)


def _all_came(progress: ScanProgress) -> bool:
    counts = [int(progress.fields.get(name, "0")) for name in ("sessions_done", "sessions")]
    return counts[0] >= counts[1]


def _go_on(runtime: Runtime, scan_id: str, progress: ScanProgress) -> None:
    """Give unfinished symbols to the workers again, as many as the budget lets through.

    When IDLE_ROUNDS of this have brought no record, the scan is closed with what is there. Who has
    to wait for the budget or the provider is not idle: the deadline bounds that.
    """
    fields = progress.fields
    found = unfinished(runtime, scan_id, progress)
    moved = fields.get("round_recorded") != str(progress.recorded)
    idle = 0 if moved or found.waits else int(fields.get("idle_rounds", 0)) + 1
    if idle >= IDLE_ROUNDS:
        finish(runtime, scan_id, at_deadline=True)
        return
    rate = parse_rate(runtime.settings.rate)
    threads = runtime.settings.workers * runtime.settings.threads
    room = 1_000 if rate is None else math.ceil(PERIOD * rate.limit / rate.window) + threads
    runtime.state.note(scan_id, {"idle_rounds": idle, "round_recorded": progress.recorded})
    next_round(runtime, scan_id, found, scan_symbols.delay, room)
