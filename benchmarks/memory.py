"""Freed memory: a block where the process keeps it, as workers do, and where it gives it back.

Each case runs in a process of its own, and both take turns.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks import environment, market, timing
from benchmarks.columns import TA_COLUMNS
from benchmarks.sizes import SIZES, Sizes
from benchmarks.tables import Comparison, Findings, compared
from scanner.bars.block import stack
from scanner.indicators.compute import compute
from scanner.indicators.registry import DEFAULT_COLUMNS

_SETS: Final[dict[str, Sequence[str]]] = {"default": DEFAULT_COLUMNS, "ta": list(TA_COLUMNS)}

_KEPT: Final = "kept"
_GIVEN: Final = "given back"


def findings(sizes: Sizes) -> Findings:
    """Return the table."""
    rows = [
        _row(sizes, sessions, name, columns)
        for name, columns in _SETS.items()
        for sessions in sizes.sessions
    ]
    note = "theirs: the same process with malloc as it comes. Each turn is a process of its own."
    return compared("Keeping freed memory", rows, [note])


def _row(sizes: Sizes, sessions: int, name: str, columns: Sequence[str]) -> Comparison:
    turns: dict[str, list[float]] = {_KEPT: [], _GIVEN: []}
    for _ in range(sizes.runs):
        for case, spent in turns.items():
            spent.append(environment.child("benchmarks.memory", sizes.name, sessions, name, case))
    return Comparison(
        what=f"{len(columns)} columns ({name}), {sizes.block} symbols",
        sessions=sessions,
        ours=statistics.median(turns[_KEPT]),
        beside="memory given back",
        theirs=statistics.median(turns[_GIVEN]),
    )


def measure(sizes: Sizes, sessions: int, columns: Sequence[str]) -> float:
    """Return the median seconds of a block in this process."""
    block = stack(market.series(market.bars(7, sizes.block, sessions)))
    return timing.interleaved({"block": lambda: compute(block, columns)}, sizes)["block"]


if __name__ == "__main__":
    size, count, which, freed = sys.argv[1:]
    if freed == _KEPT:
        environment.as_worker()
    sys.stdout.write(json.dumps(measure(SIZES[size], int(count), _SETS[which])))
