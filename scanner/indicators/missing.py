"""Bars that are not there: where numbers of (symbols, bars) arrays become NaN."""

from __future__ import annotations

import numpy as np

from scanner.bars.block import BoolArray, FloatArray


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


def first_bars(missing: BoolArray) -> BoolArray:
    """Return where each row's first bar is; `missing` is true before it."""
    first = ~missing
    first[:, 1:] &= missing[:, :-1]
    return first
