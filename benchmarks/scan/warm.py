"""Warm scans: bars are in the cache, and all that is left is computing, Redis and Celery.

Beside a scan stand its two parts, in the same run: the same work in one process without Celery,
and a chord of as many tasks that do nothing through the same workers.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import timing
from benchmarks.scan import scans
from benchmarks.scan.fleet import Fleet, fleet
from benchmarks.scan.sizes import ScanSizes
from benchmarks.tables import Comparison, Findings, compared, duration

#: What a scan may take of the work in one process, and of an empty chord.
FLOOR_SHARE: Final = 0.8
CHORD_SHARE: Final = 1.3

_FORMULA: Final = f"{FLOOR_SHARE:g} floor + {CHORD_SHARE:g} chord"
#: Stages whose seconds are those of a worker's thread, not of the clock.
_OF_A_THREAD: Final = ("bars", "indicators", "decide", "rows")


def findings(sizes: ScanSizes, folder: Path) -> Iterator[Findings]:
    """Yield the tables of one fleet of the usual size, and that of fleets of several sizes."""
    with fleet(folder / "warm", simulator_symbols=sizes.symbols, workers=sizes.workers) as usual:
        rows: list[Comparison] = []
        stages: dict[int, dict[str, float]] = {}
        for days, sessions in sizes.days.items():
            fill(usual, days, sizes)
            rows += _beside(usual, days, sessions, sizes)
            stages[sessions] = _stages(usual, days, sizes)
        yield compared(f"A warm scan of {sizes.symbols:,} symbols", rows, [_note(usual)])
        yield _stage_table(stages)
        yield _processes(usual, sizes, folder)


def fill(one: Fleet, days: int, sizes: ScanSizes) -> None:
    """Put bars of `days`, and not of more, into the cache of a fleet, by HTTP."""
    scans.forget_bars(one)
    scans.scan(one, scans.spec(one, days, batch_size=sizes.block))


def _beside(one: Fleet, days: int, sessions: int, sizes: ScanSizes) -> list[Comparison]:
    asked, each = scans.spec(one, days), scans.spec(one, days, batch_size=1)
    tasks = scans.batches_of(one, asked)
    median = timing.turns(
        {
            "warm": partial(scans.warm, one, asked),
            "floor": partial(scans.floor, one, asked),
            "chord": scans.empty_chord(one, tasks),
        },
        sizes.runs,
    )
    single = timing.turns(
        {
            "warm": partial(scans.warm, one, asked),
            "single": partial(scans.warm, one, each),
            "chord": scans.empty_chord(one, sizes.symbols),
        },
        sizes.long_runs,
    )
    bound = FLOOR_SHARE * median["floor"] + CHORD_SHARE * median["chord"]
    what, alone = f"auto, {tasks} tasks", f"a symbol a task, {sizes.symbols:,} tasks"

    def row(what: str, ours: float, beside: str, theirs: float, most: float | None) -> Comparison:
        return Comparison(
            what=what, sessions=sessions, ours=ours, beside=beside, theirs=theirs, most=most
        )

    return [
        row(what, median["warm"], _FORMULA, bound, 1.0),
        row(what, median["warm"], "floor: one process, no Celery", median["floor"], None),
        row(what, median["warm"], "chord of empty tasks", median["chord"], None),
        row(alone, single["single"], what, single["warm"], None),
        row(alone, single["single"], "chord of empty tasks", single["chord"], None),
    ]


def _note(one: Fleet) -> str:
    settings = one.settings
    return (
        "From the request to the stored report, followed through the scan's own state, with "
        f"{settings.workers} workers of {settings.threads} threads and all shipped screens. "
        "floor: the same batches through the task's body, the same writes and the same "
        "report in one process, planned before. ratio: theirs / ours, or ours / theirs where "
        "at most something is asked."
    )


def _stages(one: Fleet, days: int, sizes: ScanSizes) -> dict[str, float]:
    """Return the median seconds of each stage that warm scans note."""
    asked = scans.spec(one, days)
    noted = [scans.report(one, scans.scan(one, asked).id).facts.stages for _ in range(sizes.runs)]
    return {name: statistics.median(of[name] for of in noted) for name in noted[0]}


def _stage_table(stages: dict[int, dict[str, float]]) -> Findings:
    names = next(iter(stages.values()))
    rows = [(name, *(duration(of[name]) for of in stages.values())) for name in names]
    return Findings(
        title="What a warm scan says of its own stages",
        heads=("stage", *(f"{sessions} sessions" for sessions in stages)),
        rows=rows,
        notes=[f"{', '.join(_OF_A_THREAD)}: seconds of a thread, on average."],
    )


def _processes(usual: Fleet, sizes: ScanSizes, folder: Path) -> Findings:
    """Return the table of fleets of several sizes, which take turns and are all up."""
    days, sessions = next(iter(sizes.days.items()))
    with ExitStack() as up:
        fleets: dict[int, Fleet] = {}
        for count in sizes.fleets:
            one = fleet(
                folder / f"processes-{count}",
                simulator_symbols=sizes.symbols,
                simulator_url=usual.url,
                workers=count,
            )
            fleets[count] = up.enter_context(one)
            fill(fleets[count], days, sizes)
        median = timing.turns(
            {
                str(count): partial(scans.warm, one, scans.spec(one, days))
                for count, one in fleets.items()
            },
            sizes.runs,
        )
    first = sizes.fleets[0]
    rows = [
        Comparison(
            what=f"{count} processes x {usual.settings.threads} threads",
            sessions=sessions,
            ours=median[str(count)],
            beside=f"{first} process",
            theirs=median[str(first)],
        )
        for count in sizes.fleets
    ]
    return compared(
        f"Worker processes, a warm scan of {sizes.symbols:,} symbols",
        rows,
        ["All fleets are up while they take turns; those that wait take a little of the machine."],
    )
