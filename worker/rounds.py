"""Further rounds of a scan: what has no final record comes in, tasks of one symbol go out.

A symbol that waits for the budget or the provider is given out until the deadline. One that was
tried in vain, with all retries of its task, has one more round, at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scanner.bootstrap import Runtime
from scanner.results.redis_records import ScanProgress
from scanner.results.report import RUNNING, Absence
from worker.take_over import Publish, give_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """What another try may still finish."""

    symbols: Sequence[str] = ()
    #: Whether some of them were not asked for, because they had to wait.
    waits: bool = False
    #: Whether all of them were tried in vain before.
    tried: bool = False


def unfinished(runtime: Runtime, scan_id: str, progress: ScanProgress) -> Unfinished:
    """Return the symbols of a scan that another try may still finish before its deadline."""
    found = runtime.state.collect(scan_id)
    deferred = {
        symbol
        for symbol, record in found.waiting.items()
        if isinstance(record, Absence) and record.is_deferred
    }
    tried = found.waiting.keys() - deferred
    left = [s for s in found.universe if s not in found.records]
    first = [s for s in left if s not in tried]
    if first:
        return Unfinished(symbols=first, waits=bool(deferred))
    again = left if "second_round" not in progress.fields else []
    return Unfinished(symbols=again, tried=bool(again))


def next_round(
    runtime: Runtime, scan_id: str, found: Unfinished, publish: Publish, most: int | None = None
) -> None:
    """Give out what is unfinished, at most `most` symbols; what was tried in vain only once."""
    if found.tried:
        runtime.state.note(scan_id, {"second_round": 1})
    why = "tried" if found.tried else "reconciled"
    give_out(runtime, scan_id, found.symbols[:most], publish, why=why)


def second_round(runtime: Runtime, scan_id: str, publish: Publish) -> None:
    """Give out what was tried in vain, if nothing else is left of a scan."""
    progress = runtime.state.progress(scan_id)
    if progress is None or progress.state != RUNNING:
        return
    found = unfinished(runtime, scan_id, progress)
    if found.tried:
        next_round(runtime, scan_id, found, publish)
