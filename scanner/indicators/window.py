"""Windows: kernels hand in (symbols, bars) arrays and get arrays of that shape.

Everything is built by doubling: the result for 2k bars is the result for k bars joined with
the one k bars earlier, so n bars cost log2(n) passes over the whole block. Nothing is ever
subtracted from a running total, so a large bar leaves no trace once it is out of the window.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from scanner.bars.block import BoolArray, FloatArray

T = TypeVar("T", bound=np.generic)


#: Bars that are worked on at a time where each is used often: a block of them fits the cache.
_TILE: Final = 64


def shift(x: FloatArray, lag: int) -> FloatArray:
    """Return `x` as it was `lag` bars ago, NaN before there was such a bar."""
    out = np.empty_like(x)
    out[:, :lag] = np.nan
    out[:, lag:] = _until(x, lag)
    return out


def change(x: FloatArray, lag: int) -> FloatArray:
    """Return `x` less what it was `lag` bars ago."""
    return _lagged(np.subtract, x, x, lag)


def growth(x: FloatArray, lag: int) -> FloatArray:
    """Return `x` over what it was `lag` bars ago, less 1."""
    out = _lagged(np.divide, x, x, lag)
    out -= 1.0
    return out


def rolling_sum(x: FloatArray, window: int) -> FloatArray:
    """Return the sum of the last `window` bars, NaN while one of them is NaN."""
    total, covered = x, 0
    for size, sums in _doubled(np.add, x, window):
        if window & size:
            total = _lagged(np.add, total, sums, covered) if covered else sums.copy(order="K")
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


def expanding_max(x: FloatArray, window: int) -> FloatArray:
    """Return the largest of the last `window` bars, of fewer where a row has no more."""
    size, best = 1, x
    while size < window:
        step = min(size, window - size)
        wider = best.copy(order="K")
        np.fmax(best[:, step:], _until(best, step), out=wider[:, step:])
        best, size = wider, size + step
    return best


def rolling_age_of_max(x: FloatArray, window: int) -> FloatArray:
    """Return how many bars ago the largest of the last `window` bars was, the oldest of equals.

    NaN while one of them is NaN.
    """
    size, best = 1, x
    age = np.zeros_like(x, dtype=np.int16)
    while size < window:
        step = min(size, window - size)
        older = _until(age, step) + np.int16(step)
        # Where the older part holds the maximum, its age is the larger one; masks are slow.
        older *= _until(best, step) >= best[:, step:]
        np.maximum(age[:, step:], older, out=age[:, step:])
        best, size = _lagged(np.maximum, best, best, step), size + step
    return age + (best - best)


def rolling_weighted_mean(x: FloatArray, window: int) -> FloatArray:
    """Return the mean of the last `window` bars weighted 1 for the oldest to `window` for the last.

    NaN while one of them is NaN.
    """
    whole = _WeightedSum(size=0, plain=x, weighted=x)
    part = _WeightedSum(size=1, plain=x, weighted=x)
    while True:
        if window & part.size:
            whole = _joined_weights(whole, part) if whole.size else part
        if 2 * part.size > window:
            return whole.weighted * (2.0 / (window * (window + 1)))
        part = _joined_weights(part, part)


def rolling_variance(
    x: FloatArray, window: int, *, freedom: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of the last `window` bars, NaN while one of them is NaN.

    The divisor is `window - freedom`. Pairs of parts are joined by the update of Chan, Golub
    and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances"
    (1979), which is as exact as two passes over each window. A flat window has variance 0.
    """
    part = _Moments(size=1, mean=x, squares=x - x)
    parts = []
    while part.size <= window:
        if window & part.size:
            parts.append(part)
        if 2 * part.size > window:
            break
        part = _joined_moments(part, part)
    whole = functools.reduce(_joined_moments, parts)
    return whole.mean, whole.squares * (1.0 / (window - freedom))


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


def without_warm_up(
    x: FloatArray, missing: BoolArray, bars: int, instead: float = np.nan
) -> FloatArray:
    """Set `x` to `instead` wherever fewer than `bars` bars are present, in place; return it.

    `missing` is true before each row's first bar, as in `np.isnan(block.close)`.
    """
    lag = bars - 1
    x[:, :lag] = instead
    np.copyto(x[:, lag:], instead, where=missing[:, : max(missing.shape[1] - lag, 0)])
    return x


def only_where(x: FloatArray, known: BoolArray) -> FloatArray:
    """Return `x`, NaN where `known` is false; by arithmetic, which is faster than a mask."""
    with np.errstate(invalid="ignore"):
        out = np.divide(0.0, known)
    out += x
    return out


def _until(x: npt.NDArray[T], lag: int) -> npt.NDArray[T]:
    return x[:, : max(x.shape[1] - lag, 0)]


def _lagged(operation: np.ufunc, x: FloatArray, y: FloatArray, lag: int) -> FloatArray:
    out = np.empty_like(x)
    out[:, :lag] = np.nan
    operation(x[:, lag:], _until(y, lag), out=out[:, lag:])
    return out


def _doubled(operation: np.ufunc, x: FloatArray, window: int) -> Iterator[tuple[int, FloatArray]]:
    size = 1
    yield size, x
    while 2 * size <= window:
        x = _lagged(operation, x, x, size)
        size *= 2
        yield size, x


def _rolling_extreme(operation: np.ufunc, x: FloatArray, window: int) -> FloatArray:
    size, best = list(_doubled(operation, x, window))[-1]
    return _lagged(operation, best, best, window - size)


def _joined_mean(recent: FloatArray, covered: int, older: FloatArray, size: int) -> FloatArray:
    out = _lagged(np.subtract, recent, older, covered)
    out *= -size / (covered + size)
    out += recent
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moments:
    size: int
    mean: FloatArray
    #: Sum of squared distances from the mean.
    squares: FloatArray


def _joined_moments(recent: _Moments, older: _Moments) -> _Moments:
    size = recent.size + older.size
    gap = _lagged(np.subtract, recent.mean, older.mean, recent.size)
    mean = gap * (-older.size / size)
    mean += recent.mean
    gap *= gap
    gap *= recent.size * older.size / size
    if size > 2:  # single bars have no distance from their mean
        gap += _lagged(np.add, recent.squares, older.squares, recent.size)
    return _Moments(size=size, mean=mean, squares=gap)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WeightedSum:
    size: int
    plain: FloatArray
    #: The oldest bar once, the last `size` times.
    weighted: FloatArray


def _joined_weights(recent: _WeightedSum, older: _WeightedSum) -> _WeightedSum:
    weighted = recent.plain * float(older.size)
    weighted += recent.weighted
    return _WeightedSum(
        size=recent.size + older.size,
        plain=_lagged(np.add, recent.plain, older.plain, recent.size),
        weighted=_lagged(np.add, weighted, older.weighted, recent.size),
    )
