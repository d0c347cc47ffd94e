"""Looking back: conditions and numbers of (symbols, bars) come in, arrays of fewer bars go out.

Every function takes as many bars more than it returns as it looks back: the first bars of its
argument are there for the first one of its result.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from scanner.bars.block import BoolArray, FloatArray
from scanner.indicators import loops
from scanner.rules.moments import comoments
from scanner.rules.truth import Truth, denied

#: Bars up to which pairs of values take less time than means of windows.
_FEW: Final = 64


def within(x: Truth, bars: int) -> Truth:
    """Return whether x held in one of the last `bars` bars; unknown if it only may have."""
    return denied(all_of(denied(x), bars))


def all_of(x: Truth, bars: int) -> Truth:
    """Return whether x held in all of the last `bars` bars; false if it failed in one."""
    full = _sum(x.true, bars)
    return Truth(true=full == bars, false=_sum(x.false, bars) > 0)


def count(x: Truth, bars: int) -> FloatArray:
    """Return in how many of the last `bars` bars x held; NaN if that is unknown for one."""
    return np.where(_sum(x.known, bars) == bars, _sum(x.true, bars), np.nan)


def _sum(x: BoolArray, bars: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Return how many of each `bars` bars are set."""
    total = np.zeros((x.shape[0], x.shape[1] + 1), dtype=np.int32)
    np.cumsum(x, axis=1, out=total[:, 1:])
    return total[:, bars:] - total[:, :-bars]


def since(x: Truth) -> FloatArray:
    """Return how many bars ago x held last; NaN if it never did or is unknown since then.

    Takes all bars that there are and returns as many.
    """
    bars = np.arange(x.true.shape[1])
    held, unknown = (
        np.maximum.accumulate(np.where(found, bars, -1), axis=1) for found in (x.true, ~x.known)
    )
    return np.where(held > unknown, bars - held, np.nan)


def highest(x: FloatArray, bars: int) -> FloatArray:
    """Return the highest of the last `bars` values; NaN if one of them is."""
    if x.shape[1] == bars:
        return np.maximum.reduce(x, axis=1, keepdims=True)
    return loops.rolling_max(x, bars)[:, bars - 1 :]


def lowest(x: FloatArray, bars: int) -> FloatArray:
    """Return the lowest of the last `bars` values; NaN if one of them is."""
    if x.shape[1] == bars:
        return np.minimum.reduce(x, axis=1, keepdims=True)
    return loops.rolling_min(x, bars)[:, bars - 1 :]


def change(x: FloatArray, bars: int) -> FloatArray:
    """Return each value less the one `bars` bars ago."""
    return x[:, bars:] - x[:, :-bars]


def slope(x: FloatArray, bars: int) -> FloatArray:
    """Return what the least squares line through the last `bars` values rises by a bar."""
    if bars <= _FEW:
        return _slope_by_pairs(x, bars)
    places = np.arange(float(x.shape[1]))[np.newaxis]
    return comoments(x, places, bars) / (bars * (bars * bars - 1) / 12.0)


def _slope_by_pairs(x: FloatArray, bars: int) -> FloatArray:
    """Return the same by pairs of values that are as far from the middle of each window.

    What does not change has a slope of exactly 0.
    """
    width, middle = x.shape[1] - bars + 1, bars // 2
    # Unknown where the middle is, which has no part in any pair.
    total: FloatArray = 0.0 * x[:, middle : middle + width]
    for first in range(middle):
        last = bars - 1 - first
        total += (last - first) * (x[:, last : last + width] - x[:, first : first + width])
    return total / (bars * (bars * bars - 1) / 6.0)
