"""Recursions by numpy: (symbols, bars) arrays come in, and others of that shape go out.

What loops.c does bar by bar, to the same bits. A `weight` is that of a new value against the mean
so far; `least` is the number of values that a result has to rest on, NaN before. Unless said
otherwise an array is NaN only before a symbol's first value.
"""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np

from scanner.bars.block import BoolArray, FloatArray
from scanner.indicators.lags import change
from scanner.indicators.missing import first_bars, without_warm_up

#: Span at which pandas weighs the value behind a gap by what the mean has lost in it.
IRREGULAR_SPAN: Final = 3


def level_mean(x: FloatArray, weight: float, least: int) -> FloatArray:
    """Return the exponential mean, seeded with the first value, of a series that rests anywhere.

    It lags behind `x` by the decayed sum of the moves of `x`: in this form the mean of a price
    that has come to rest is in the end exactly that price.
    """
    missing = np.isnan(x)
    leads = without_warm_up(change(x, 1), missing, 2, 0.0)
    lead = np.zeros(x.shape[0])
    for led in leads.T:
        np.add(led, lead, out=led)
        np.multiply(led, 1.0 - weight, out=led)
        lead = led
    return without_warm_up(x - leads, missing, least)


def flow_mean(x: FloatArray, weight: float, least: int) -> FloatArray:
    """Return the exponential mean, seeded with the first value, of a series that rests at 0.

    As volumes and changes do: however small the mean becomes while `x` is 0, it keeps its digits.
    """
    return _weighted_mean(x, np.broadcast_to(weight, x.shape), first_bars(np.isnan(x)), least)


def adaptive_mean(x: FloatArray, weights: FloatArray, least: int) -> FloatArray:
    """Return the mean to which each bar has its own weight; it starts at `x` where that is NaN."""
    return _weighted_mean(x, weights, np.isnan(weights), least)


def wilder_mean(x: FloatArray, window: int) -> FloatArray:
    """Return the mean of weight 1 / `window` that is seeded with the mean of `window` values."""
    missing = np.isnan(x)
    counts = _counts(x)
    seeded = np.where(missing, 0.0, x)
    seeds = _running(np.add, np.where(counts <= window, seeded, 0.0))
    np.multiply(seeds, 1.0 / window, out=seeded, where=counts == window)
    weights = np.broadcast_to(1.0 / window, x.shape)
    return _weighted_mean(seeded, weights, counts <= window, window, missing)


def _weighted_mean(
    x: FloatArray,
    weights: FloatArray,
    starts: BoolArray,
    least: int,
    missing: BoolArray | None = None,
) -> FloatArray:
    """Return the mean of each bar, which is `x` itself at the bars where it `starts`."""
    out = np.empty_like(x)
    mean = np.full(x.shape[0], np.nan)
    starting = np.any(starts, axis=0).tolist()
    for now, moved, weight, start, some in zip(
        x.T, out.T, weights.T, starts.T, starting, strict=True
    ):
        np.subtract(now, mean, out=moved)
        np.multiply(moved, weight, out=moved)
        np.add(moved, mean, out=moved)
        if some:
            np.copyto(moved, now, where=start)
        mean = moved
    return without_warm_up(out, np.isnan(x) if missing is None else missing, least)


def mean_over_gaps(x: FloatArray, span: int) -> FloatArray:
    """Return the exponential mean of a series with gaps, by weight 2 / (`span` + 1).

    It rests on `span` values and is seeded with the first. In a gap it stays and ages: of it,
    (1 - weight) to the power of the steps since its last value is left against the weight of the
    next one. In the order of pandas' ewm, for what makes the rounding of another order visible.
    """
    weight = 2.0 / (span + 1)
    out = np.empty_like(x)
    mean = np.full(x.shape[0], np.nan)
    age = np.ones_like(mean)
    for bar in range(x.shape[1]):
        now, moved = x[:, bar], out[:, bar]
        held = age * (1.0 - weight)
        # A span of 3 is in pandas the mark of irregular intervals, whose weights sum to 1.
        fresh = 1.0 - held if span == IRREGULAR_SPAN else weight
        np.multiply(mean, held, out=moved)
        moved += now * fresh
        moved /= held + fresh
        missing = np.isnan(now)
        np.copyto(moved, now, where=(mean == now) | np.isnan(mean))
        np.copyto(moved, mean, where=missing)
        age = np.where(missing, held, 1.0)
        mean = moved
    np.copyto(out, np.nan, where=_counts(x) < span)
    return out


def running_total(x: FloatArray) -> FloatArray:
    """Return the sum of all bars so far; NaN where `x` is."""
    missing = np.isnan(x)
    total = _running(np.add, np.where(missing, 0.0, x))
    np.copyto(total, np.nan, where=missing)
    return total


def parabolic_stop(
    high: FloatArray, low: FloatArray, close: FloatArray, step: float, largest: float
) -> tuple[FloatArray, BoolArray]:
    """Return Wilder's stop of each bar, and whether it follows a rise there.

    It begins with a rise from the first high, the first two closes standing for it, grows faster
    by `step` up to `largest`, and turns as `ta` PSARIndicator. A fall is seen as a rise of negated
    prices: `behind` is where the stop follows, and `extreme` and `ahead` are negated once more.
    """
    symbols, bars = close.shape
    stops, rising = np.empty_like(close), np.empty_like(close, dtype=bool)
    edges = np.stack([-high, low])
    counts, every = _counts(close), np.arange(symbols)
    stop, extreme, speed = np.full((3, symbols), np.nan)
    up = np.ones(symbols, dtype=np.intp)
    for bar in range(bars):
        first, young = counts[:, bar] == 1, counts[:, bar] <= _SEEDS
        behind, behind_1, behind_2 = (edges[up, every, max(bar - lag, 0)] for lag in range(3))
        ahead = edges[1 - up, every, bar]
        moved = stop - (extreme + stop) * speed
        turned = behind < moved
        faster = np.where(ahead < extreme, np.minimum(speed + step, largest), speed)
        followed = np.where(behind_2 < moved, behind_2, np.minimum(moved, behind_1))
        stop = np.where(young, close[:, bar], np.where(turned, extreme, followed))
        speed = np.where(turned | young, step, faster)
        further = np.where(turned, behind, np.minimum(extreme, ahead))
        extreme = np.where(young, np.where(first, edges[0, :, bar], extreme), further)
        up = np.where(young, 1, up ^ turned)
        stops[:, bar] = np.where(up, stop, -stop)
        rising[:, bar] = up
    return stops, rising


#: Closes that stand for the stop before it is one.
_SEEDS: Final = 2


def _counts(x: FloatArray) -> FloatArray:
    """Return how many values each bar and those before it hold."""
    return _running(np.add, (~np.isnan(x)).astype(np.float64))


def _running(operation: np.ufunc, x: FloatArray) -> FloatArray:
    """Return what `operation` makes of all bars so far, in place; ufunc.accumulate is slower."""
    for before, now in itertools.pairwise(x.T):
        operation(before, now, out=now)
    return x
