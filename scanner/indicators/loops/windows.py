"""Windows by numpy: (symbols, bars) arrays come in, arrays of that shape go out.

What loops.c does for windows, to the same bits. Everything is built by doubling: the result for 2k
bars is the result for k bars joined with the one k bars earlier, so n bars cost log2(n) passes over
the whole block. Nothing is ever subtracted from a running total, so a large bar leaves no trace
once it is out of the window.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from scanner.bars.block import FloatArray
from scanner.indicators.lags import lagged, until

#: Bars that are worked on at a time where each is used often: a block of them fits the cache.
_TILE: Final = 64


def rolling_sum(x: FloatArray, window: int) -> FloatArray:
    """Return the sum of the last `window` bars, NaN while one of them is NaN."""
    total, covered = x, 0
    for size, sums in _doubled(np.add, x, window):
        if window & size:
            total = lagged(np.add, total, sums, covered) if covered else sums.copy(order="K")
            covered += size
    return total


def rolling_mean(x: FloatArray, window: int) -> FloatArray:
    """Return the mean of the last `window` bars, NaN while one of them is NaN.

    Sums of 1, 2, 4... equal bars have no rounding error, so the mean of a flat window is
    exactly its value: a flat price is neither above nor below its average.
    """
    mean, covered = x, 0
    for size, sums in _doubled(np.add, x, window):
        if window & size:
            part = sums * (1.0 / size)
            mean = _joined_mean(mean, covered, part, size) if covered else part
            covered += size
    return mean


def rolling_max(x: FloatArray, window: int) -> FloatArray:
    """Return the largest of the last `window` bars, NaN while one of them is NaN."""
    return _rolling_extreme(np.maximum, x, window)


def rolling_min(x: FloatArray, window: int) -> FloatArray:
    """Return the smallest of the last `window` bars, NaN while one of them is NaN."""
    return _rolling_extreme(np.minimum, x, window)


def rolling_age_of_max(x: FloatArray, window: int) -> FloatArray:
    """Return how many bars ago the largest of the last `window` bars was, the oldest of equals.

    NaN while one of them is NaN.
    """
    size, best = 1, x
    age = np.zeros_like(x, dtype=np.int16)
    while size < window:
        step = min(size, window - size)
        older = until(age, step) + np.int16(step)
        # Where the older part holds the maximum, its age is the larger one; masks are slow.
        older *= until(best, step) >= best[:, step:]
        np.maximum(age[:, step:], older, out=age[:, step:])
        best, size = lagged(np.maximum, best, best, step), size + step
    return age + (best - best)


def mean_deviation(x: FloatArray, mean: FloatArray, window: int) -> FloatArray:
    """Return the mean distance of the last `window` bars of `x` from the `mean` of each bar."""
    total = np.zeros_like(x)
    total[:, : window - 1] = np.nan
    gap = np.empty_like(x[:, :_TILE])
    for start in range(window - 1, x.shape[1], _TILE):
        now = total[:, start : start + _TILE]
        middle, apart = mean[:, start : start + _TILE], gap[:, : now.shape[1]]
        for lag in range(window):
            first = start - lag
            np.subtract(x[:, first : first + now.shape[1]], middle, out=apart)
            np.abs(apart, out=apart)
            now += apart
    total *= 1.0 / window
    return total


def _doubled(operation: np.ufunc, x: FloatArray, window: int) -> Iterator[tuple[int, FloatArray]]:
    size = 1
    yield size, x
    while 2 * size <= window:
        x = lagged(operation, x, x, size)
        size *= 2
        yield size, x


def _rolling_extreme(operation: np.ufunc, x: FloatArray, window: int) -> FloatArray:
    size, best = list(_doubled(operation, x, window))[-1]
    return lagged(operation, best, best, window - size)


def _joined_mean(recent: FloatArray, covered: int, older: FloatArray, size: int) -> FloatArray:
    out = lagged(np.subtract, recent, older, covered)
    out *= -size / (covered + size)
    out += recent
    return out
