"""What rules cost: checked expressions come in, steps for each symbol go out.

A step is one pass over one bar. Each distinct part is computed once, for as many bars as what
stands around it looks back; `since` looks back at all bars, which are taken for ten years here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from scanner.bars.block import FIELDS
from scanner.rules.tree import Expression, OnTimeframe, Relative, Rolling, Series, need

#: Most steps of an expression, and of all screens of a file; a million takes a block of 264 symbols
#: up to 5 seconds.
MAX_STEPS: Final = 1_000_000
MAX_STEPS_OF_SCREENS: Final = 20_000_000

#: Bars of ten years.
_ALL_BARS: Final = 2_520

#: Passes of an indicator, and for each doubling of a window by its kind.
_COLUMN: Final = 6
_DOUBLING: Final = {"slope": 4, "beta": 2, "corr": 3}


def steps(expressions: Iterable[Expression], seen: dict[Expression, int] | None = None) -> int:
    """Return the steps of `expressions`, together with the parts in `seen`, which grows by theirs.

    `seen`: part -> for how many bars it is needed.
    """
    needed = {} if seen is None else seen
    for one in expressions:
        need(one, 1, _ALL_BARS, needed)
    return sum(_passes(x, bars) for x, bars in needed.items())


def _passes(x: Expression, bars: int) -> int:
    """Return the steps of one part for so many bars, without those of its parts."""
    match x:
        case Series(name=name):
            return bars if name in FIELDS else _COLUMN * max(_ALL_BARS, bars)
        case OnTimeframe():
            # Each bar has weeks or months of its own, of a fifth of the bars or fewer.
            return bars * steps([x.x]) // 5
        case Relative(op=op, bars=window) | Rolling(op=op, bars=window):
            return (bars + window) * (1 + _DOUBLING.get(op, 0) * window.bit_length())
    return bars
