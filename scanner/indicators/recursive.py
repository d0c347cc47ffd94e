"""Recursions: kernels hand in (symbols, bars) arrays and get arrays of that shape.

Unless said otherwise `x` is NaN only before a row's first value.
"""

from __future__ import annotations

import numpy as np

from scanner.bars.block import FloatArray
from scanner.indicators import loops


def ema(x: FloatArray, window: int) -> FloatArray:
    """Return the exponential mean with weight 2 / (window + 1), seeded with the first value.

    NaN until it rests on `window` values. The mean of a flat series is exactly its value.
    """
    return loops.level_mean(x, 2.0 / (window + 1), window)


def ema_of_flow(x: FloatArray, window: int) -> FloatArray:
    """Return the exponential mean of a series that rests at 0, as volumes and changes do.

    As `ema`, but nothing is subtracted: however small the mean becomes while `x` is 0, it keeps
    its digits.
    """
    return loops.flow_mean(x, 2.0 / (window + 1), window)


def ema_over_gaps(x: FloatArray, window: int) -> FloatArray:
    """Return the exponential mean of a series with gaps, seeded with the first value.

    NaN until it rests on `window` values. To the bit that of pandas' ewm, whose gaps age the mean.
    """
    return loops.mean_over_gaps(x, window)


def ema_of_any(x: FloatArray, window: int) -> FloatArray:
    """Return `ema`, and in the rows that have gaps behind their first value `ema_over_gaps`."""
    out = ema(x, window)
    missing = np.isnan(x)
    gaps = missing[:, 1:] & ~missing[:, :-1]
    rows = np.flatnonzero(gaps.any(axis=1)) if gaps.any() else ()
    if len(rows):
        out[rows] = ema_over_gaps(x[rows], window)
    return out


def wilder(x: FloatArray, window: int) -> FloatArray:
    """Return Wilder's mean of weight 1 / window, seeded with the mean of `window` values.

    NaN until it rests on `window` values.
    """
    return loops.wilder_mean(x, window)


def mean_of_moves(x: FloatArray, window: int) -> FloatArray:
    """Return the exponential mean with Wilder's weight 1 / window, seeded with the first move."""
    return loops.flow_mean(x, 1.0 / window, 1)


def running_total(x: FloatArray) -> FloatArray:
    """Return the sum of all bars so far; NaN where `x` is."""
    return loops.running_total(x)


def running_product(x: FloatArray) -> FloatArray:
    """Return the product of all bars so far; `x` holds no NaN."""
    return np.multiply.accumulate(x, axis=1, out=np.empty_like(x))
