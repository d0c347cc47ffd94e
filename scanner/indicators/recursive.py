"""Recursions: kernels hand in (symbols, bars) arrays and get recursive means of that shape.

The sum over 2k bars is the sum over k bars joined with the one k bars earlier: a few passes over
the whole block sum short stretches, and what came before is carried on from stretch to stretch.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from scanner.bars.block import BoolArray, FloatArray
from scanner.indicators.window import change, without_warm_up

IndexArray = npt.NDArray[np.intp]

#: Bars that are summed by doubling; the sums before them are carried on in steps of as many.
_STEP: Final = 16


def decayed_sum(x: FloatArray, decay: float) -> FloatArray:
    """Return the sum of `decay ** age * x` over all bars so far; `x` holds no NaN."""
    bars = x.shape[1]
    aged = np.multiply(x, decay)
    total = np.empty_like(x)
    total[:, :1] = x[:, :1]
    np.add(x[:, 1:], aged[:, :-1], out=total[:, 1:])
    size, decay = 2, decay * decay
    while size < min(_STEP, bars):
        np.multiply(total[:, :-size], decay, out=aged[:, size:])
        total[:, size:] += aged[:, size:]
        size, decay = 2 * size, decay * decay
    for start in range(size, bars, size):
        now = total[:, start : start + size]
        before = aged[:, : now.shape[1]]
        np.multiply(total[:, start - size : start - size + now.shape[1]], decay, out=before)
        now += before
    return total


def ema(x: FloatArray, window: int) -> FloatArray:
    """Return the exponential mean with weight 2 / (window + 1), seeded with the first value.

    `x` is NaN only before its first value; the result is NaN until it rests on `window` values.
    The mean lags behind `x` by the decayed sum of the changes of `x`: in this form the mean of a
    flat series is exactly its value.
    """
    decay = 1.0 - 2.0 / (window + 1)
    missing = np.isnan(x)
    moves = without_warm_up(change(x, 1), missing, 2, 0.0)
    lead = decayed_sum(moves, decay)
    lead *= decay
    np.subtract(x, lead, out=lead)
    return without_warm_up(lead, missing, window)


def ema_of_flow(x: FloatArray, window: int) -> FloatArray:
    """Return the exponential mean of a series that rests at 0, as volumes and changes do.

    As `ema`, but nothing is subtracted: however small the mean becomes while `x` is 0, it keeps
    its digits.
    """
    weight = 2.0 / (window + 1)
    missing = np.isnan(x)
    weighted = x * weight
    np.copyto(weighted, x, where=first_bars(missing))
    np.copyto(weighted, 0.0, where=missing)
    return without_warm_up(decayed_sum(weighted, 1.0 - weight), missing, window)


#: Span at which pandas weighs the value behind a gap by what the mean has lost in it.
_IRREGULAR: Final = 3


def ema_over_gaps(x: FloatArray, window: int) -> FloatArray:
    """Return the exponential mean of a series with gaps, seeded with the first value.

    NaN until it rests on `window` values. In a gap the mean stays and ages: of it, (1 - weight)
    to the power of the steps since its last value is left against the weight of the next one.
    Bar by bar in the order of pandas' ewm, for what makes the rounding of another order visible.
    """
    weight = 2.0 / (window + 1)
    missing = np.isnan(x)
    uneven = _uneven(missing)
    out = np.empty_like(x)
    mean = np.full(x.shape[0], np.nan)
    fed = np.empty_like(mean)
    age = np.ones_like(mean)
    usual = np.full_like(mean, 1.0 - weight)
    for bar, is_uneven in enumerate(uneven):
        now, moved, held = x[:, bar], out[:, bar], usual
        if is_uneven:
            age *= usual
            held = age
        np.multiply(mean, held, out=moved)
        # A span of 3 is in pandas the mark of irregular intervals, whose weights sum to 1.
        new = 1.0 - held if window == _IRREGULAR else weight
        np.multiply(now, new, out=fed)
        moved += fed
        moved /= held + new
        np.copyto(moved, now, where=mean == now)
        if is_uneven:
            np.copyto(moved, now, where=np.isnan(mean))
            np.copyto(moved, mean, where=missing[:, bar])
            np.copyto(age, 1.0, where=~missing[:, bar])
        mean = moved
    np.copyto(out, np.nan, where=_fewer_than(missing, window))
    return out


def ema_of_any(x: FloatArray, window: int) -> FloatArray:
    """Return `ema`, and in the rows that have gaps behind their first value `ema_over_gaps`."""
    out = ema(x, window)
    missing = np.isnan(x)
    gaps = missing[:, 1:] & ~missing[:, :-1]
    rows = np.flatnonzero(gaps.any(axis=1)) if gaps.any() else ()
    if len(rows):
        out[rows] = ema_over_gaps(np.asfortranarray(x[rows]), window)
    return out


def _uneven(missing: BoolArray) -> list[bool]:
    """Return at which bars a row begins, or is in a gap or behind one."""
    begun = ~missing
    for bar in range(1, missing.shape[1]):
        begun[:, bar] |= begun[:, bar - 1]
    uneven = begun & missing
    uneven[:, 1:] |= ~missing[:, 1:] & missing[:, :-1]
    uneven[:, :1] |= ~missing[:, :1]
    found: list[bool] = np.any(uneven, axis=0).tolist()
    return found


def _fewer_than(missing: BoolArray, values: int) -> BoolArray:
    """Return where a row has had fewer than `values` values."""
    seen = np.zeros(missing.shape[0], dtype=np.int32)
    fewer = np.zeros_like(missing)
    for bar in range(missing.shape[1]):
        seen += ~missing[:, bar]
        np.less(seen, values, out=fewer[:, bar])
        if not fewer[:, bar].any():
            break
    return fewer


def running_total(x: FloatArray) -> FloatArray:
    """Return the sum of all bars so far; `x` is NaN only before its first value, as the result."""
    missing = np.isnan(x)
    terms = x.copy(order="K")
    np.copyto(terms, 0.0, where=missing)
    total = decayed_sum(terms, 1.0)
    np.copyto(total, np.nan, where=missing)
    return total


def running_product(x: FloatArray) -> FloatArray:
    """Return the product of all bars so far; `x` holds no NaN."""
    total = x.copy(order="K")
    bars = x.shape[1]
    size = 1
    while size < min(_STEP, bars):
        total[:, size:] = total[:, size:] * total[:, :-size]
        size *= 2
    for start in range(size, bars, size):
        now = total[:, start : start + size]
        now *= total[:, start - size : start - size + now.shape[1]]
    return total


def wilder(x: FloatArray, window: int, scale: float = 1.0) -> FloatArray:
    """Return `scale` * Wilder's mean of weight 1 / window, seeded with `window` values' mean.

    `x` is NaN only before its first value; the result is NaN until it rests on `window` values.
    """
    missing = np.isnan(x)
    weighted = without_warm_up(x * (scale / window), missing, window, 0.0)
    rows, bars, means = _first_means(x, missing, window)
    weighted[rows, bars] = scale * means
    return without_warm_up(decayed_sum(weighted, 1.0 - 1.0 / window), missing, window)


def _first_means(
    x: FloatArray, missing: BoolArray, window: int
) -> tuple[IndexArray, IndexArray, FloatArray]:
    """Return rows and bars at which `window` values are complete, and their means."""
    # Only leading bars are missing, so that in a block of whole histories hardly any is looked at.
    leading = np.count_nonzero(missing.any(axis=0))
    first = np.count_nonzero(missing[:, :leading], axis=1)
    rows = np.flatnonzero(first + window <= x.shape[1])
    first = first[rows]
    values = x[rows, first + np.arange(window)[:, np.newaxis]]
    totals = np.add.accumulate(values, axis=0)[-1]
    return rows, first + window - 1, totals / window


def first_bars(missing: BoolArray) -> BoolArray:
    """Return where each row's first bar is; `missing` is true before it."""
    first = ~missing
    first[:, 1:] &= missing[:, :-1]
    return first
