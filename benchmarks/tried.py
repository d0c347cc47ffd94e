"""What else was tried in the kernels: the ways that were left beside the one that was taken.

All in this process, on arrays of one block: bars are rows in memory, symbols are columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from benchmarks import market, timing
from benchmarks.sizes import Sizes
from benchmarks.tables import Findings, duration
from scanner.bars.block import FloatArray, stack
from scanner.indicators import loops
from scanner.indicators.compute import compute
from scanner.indicators.registry import DEFAULT_COLUMNS

#: Parts that a block is computed in.
_PARTS: Final = (1, 2, 4)

_DECAY: Final = 0.9

Ways = dict[str, Callable[[], object]]


def findings(sizes: Sizes) -> Findings:
    """Return the table; the first line of each question is what the kernels do."""
    sessions = sizes.sessions[0]
    block = stack(market.series(market.bars(9, sizes.block, sessions)))
    questions = {
        "keep half of the numbers, set the others to 0": _masks(block.close),
        "recursive mean": _recursions(block.close - block.open),
        f"{len(DEFAULT_COLUMNS)} default columns": _widths(sizes, sessions),
    }
    rows = []
    for question, ways in questions.items():
        median = timing.interleaved(ways, sizes)
        rows += [(question, way, duration(spent)) for way, spent in median.items()]
    return Findings(
        title=f"Ways to do the same, {sizes.block} symbols x {sessions} sessions",
        heads=("what", "how", "time"),
        rows=rows,
    )


def _masks(x: FloatArray) -> Ways:
    kept = (np.random.default_rng(9).random(x.T.shape) < 0.5).T
    left = ~kept
    out = np.empty_like(x)
    return {
        "product with booleans": lambda: np.multiply(x, kept, out=out),
        "np.where": lambda: np.where(kept, x, 0.0),
        "np.copyto(where=)": lambda: np.copyto(out, 0.0, where=left),
        "for scale: a sum of two arrays": lambda: np.add(x, x, out=out),
    }


def _recursions(x: FloatArray) -> Ways:
    return {
        "bar by bar": lambda: loops.flow_mean(x, 1.0 - _DECAY, 1),
        "doubling": lambda: _doubled(x),
    }


def _doubled(x: FloatArray) -> FloatArray:
    total, aged, decay, size = x.copy(order="K"), np.empty_like(x), _DECAY, 1
    while size < x.shape[1]:
        np.multiply(total[:, :-size], decay, out=aged[:, size:])
        total[:, size:] += aged[:, size:]
        size, decay = 2 * size, decay * decay
    return total


def _widths(sizes: Sizes, sessions: int) -> Ways:
    many = market.series(market.bars(10, sizes.block, sessions))
    ways: Ways = {}
    for parts in _PARTS:
        width = sizes.block // parts
        blocks = [stack(many[start : start + width]) for start in range(0, len(many), width)]
        name = "one block" if parts == 1 else f"{parts} blocks of {width} symbols"
        ways[name] = lambda blocks=blocks: [compute(one, DEFAULT_COLUMNS) for one in blocks]
    return ways
