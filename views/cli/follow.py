"""Following a scan by its own state in Redis, with a progress bar on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from scanner.errors import StoreUnavailable
from scanner.results.redis_records import ScanProgress
from scanner.results.redis_state import RedisScanState
from scanner.results.report import FINISHED, PLANNED
from worker.patience import patiently

#: Seconds between two looks.
_PERIOD: Final = 0.1
#: Seconds after which a scan that nobody has taken up is worth a word.
_HINT_AFTER: Final = 20.0
#: Seconds between two calls of `beat`.
_BEAT: Final = 5.0


def follow(
    state: RedisScanState, scan_id: str, *, beat: Callable[[], None] | None = None
) -> ScanProgress:
    """Wait until a scan is over and return its last state; StoreUnavailable if it is gone.

    `beat` is called every few seconds: a run without beat reconciles in this way.
    """
    console = Console(stderr=True)
    started = beaten = time.monotonic()
    hinted = away = False

    def tell(_error: StoreUnavailable) -> None:
        nonlocal away
        if not away:
            console.print("Redis is away: waiting for it, as the workers do")
        away = True

    with _bar(console) as bar:
        task = bar.add_task("planning", total=None)
        while True:
            progress = patiently(lambda: state.progress(scan_id), tell=tell)
            if progress is None:
                raise StoreUnavailable(f"scan {scan_id} is gone from Redis: was it flushed?")
            _show(bar, task, progress)
            if progress.state in FINISHED:
                return progress
            now = time.monotonic()
            if beat is not None and now - beaten > _BEAT:
                beat()
                beaten = now
            untouched = progress.state == PLANNED and "sessions" not in progress.fields
            if untouched and not hinted and now - started > _HINT_AFTER:
                console.print("no control worker has taken the scan yet: see `scan status`")
                hinted = True
            time.sleep(_PERIOD)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _show(bar: Progress, task: object, progress: ScanProgress) -> None:
    what, total = progress.state, progress.total
    done = min(progress.recorded + progress.waiting, total)
    if progress.state == PLANNED and "sessions" in progress.fields:
        what, total = "fetching sessions", int(progress.fields["sessions"])
        done = min(int(progress.fields.get("sessions_done", 0)), total)
    bar.update(
        task,  # type: ignore[arg-type] # rich's TaskID is an int by another name
        description=what,
        total=total or None,
        completed=done,
    )
