"""Windows of more than one array: (symbols, bars) arrays come in, arrays of that shape go out.

Built by doubling as those in `loops`: what holds for 2k bars is what holds for k bars joined with
what held k bars earlier.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from scanner.bars.block import FloatArray
from scanner.indicators.lags import lagged, until


def expanding_max(x: FloatArray, window: int) -> FloatArray:
    """Return the largest of the last `window` bars, of fewer where a row has no more."""
    size, best = 1, x
    while size < window:
        step = min(size, window - size)
        wider = best.copy(order="K")
        np.fmax(best[:, step:], until(best, step), out=wider[:, step:])
        best, size = wider, size + step
    return best


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moments:
    size: int
    mean: FloatArray
    #: Sum of squared distances from the mean.
    squares: FloatArray


def _joined_moments(recent: _Moments, older: _Moments) -> _Moments:
    size = recent.size + older.size
    gap = lagged(np.subtract, recent.mean, older.mean, recent.size)
    mean = gap * (-older.size / size)
    mean += recent.mean
    gap *= gap
    gap *= recent.size * older.size / size
    if size > 2:  # single bars have no distance from their mean
        gap += lagged(np.add, recent.squares, older.squares, recent.size)
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
        plain=lagged(np.add, recent.plain, older.plain, recent.size),
        weighted=lagged(np.add, weighted, older.weighted, recent.size),
    )
