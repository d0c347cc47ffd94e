"""What several kernels make of a block's bars first: prices and volumes in, arrays of them out."""

from __future__ import annotations

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.lags import shift


def typical_price(block: BarBlock) -> FloatArray:
    """Return (high + low + close) / 3 of each bar."""
    out = block.high + block.low
    out += block.close
    out /= 3.0
    return out


def median_price(block: BarBlock) -> FloatArray:
    """Return (high + low) / 2 of each bar."""
    out = block.high + block.low
    out *= 0.5
    return out


def true_range(block: BarBlock) -> FloatArray:
    """Return the range of each bar from the close before it; of the first, high - low."""
    previous = shift(block.close, 1)
    span = np.fmax(block.high, previous)
    span -= np.fmin(block.low, previous)
    return span


def close_location(block: BarBlock) -> FloatArray:
    """Return where each bar closes, from -1 at its low to 1 at its high, 0 without a range."""
    span = block.high - block.low
    out = block.close - block.low
    out -= block.high - block.close
    out /= span
    np.copyto(out, 0.0, where=span == 0.0)
    return out
