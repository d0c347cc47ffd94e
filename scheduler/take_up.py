"""Scans that nobody plans or closes: their control worker has died, or their message was lost.

A planner is noted with its scan. The next process of its name goes on at once with what it has
left; a scan that no planner has ever had is found by the reconciler. What was being closed as a
control worker starts is closed again: whoever writes a report, it is the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

from scanner.bootstrap import Runtime
from scanner.errors import StoreUnavailable
from scanner.results.redis_records import ScanProgress
from scanner.results.report import PLANNED

log = structlog.get_logger(__name__)

#: Seconds after which a scan that nobody has begun to plan has lost its message.
UNPLANNED_AFTER: Final = 5.0


def note_planner(runtime: Runtime, scan_id: str, node: str) -> None:
    """Note which process plans a scan."""
    runtime.state.note(scan_id, {"planner": node})


def has_no_planner(progress: ScanProgress) -> bool:
    """Return whether a planned scan waits for a message that does not come."""
    asked_at = float(progress.fields.get("asked_at", 0.0))
    return "planner" not in progress.fields and time.time() - asked_at >= UNPLANNED_AFTER


def left_by(runtime: Runtime, node: str) -> list[str]:
    """Return the scans that an earlier process called `node` has begun to plan."""
    left = []
    for scan_id in runtime.state.open_scans():
        progress = runtime.state.progress(scan_id)
        if progress is None or progress.state != PLANNED or "market_now" in progress.fields:
            continue
        if progress.fields.get("planner") == node:
            left.append(scan_id)
    return left


def left_closing(runtime: Runtime) -> list[str]:
    """Return the scans that are being closed, after ending the lease of who does it."""
    left = []
    for scan_id in runtime.state.open_scans():
        progress = runtime.state.progress(scan_id)
        if progress is not None and progress.state == "closing":
            runtime.state.note(scan_id, {"closing_until": 0})
            left.append(scan_id)
    return left


def take_up_at_start(
    current: Callable[[], Runtime],
    node: str,
    plan: Callable[[str], object],
    close: Callable[[str], object],
) -> None:
    """Go on with what an earlier process of that name has left; an error is logged.

    `plan`, `close`: put the task on the queue that does it.
    """
    try:
        for scan_id in left_by(current(), node):
            log.warning("scan of a dead planner", scan=scan_id)
            plan(scan_id)
        for scan_id in left_closing(current()):
            log.warning("scan of a dead closer", scan=scan_id)
            close(scan_id)
    except StoreUnavailable as error:
        log.error("scans of a dead process stay", node=node, cause=str(error))  # noqa: TRY400 - expected
