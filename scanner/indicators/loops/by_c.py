"""The loops by C: arrays of (symbols, bars) come in, and loops.c fills others of that shape.

None of them holds the interpreter's lock while it runs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scanner.bars.block import BoolArray, FloatArray
from scanner.indicators.loops import _loops
from scanner.indicators.loops.recursions import IRREGULAR_SPAN


def level_mean(x: FloatArray, weight: float, least: int) -> FloatArray:
    """Return `recursions.level_mean`."""
    x, out, bars, symbols = _laid_out(x)
    _loops.level_mean(x, out, bars, symbols, weight, least)
    return out.T


def flow_mean(x: FloatArray, weight: float, least: int) -> FloatArray:
    """Return `recursions.flow_mean`."""
    x, out, bars, symbols = _laid_out(x)
    _loops.flow_mean(x, out, bars, symbols, weight, least)
    return out.T


def wilder_mean(x: FloatArray, window: int) -> FloatArray:
    """Return `recursions.wilder_mean`."""
    x, out, bars, symbols = _laid_out(x)
    _loops.wilder_mean(x, out, bars, symbols, 1.0 / window, window)
    return out.T


def adaptive_mean(x: FloatArray, weights: FloatArray, least: int) -> FloatArray:
    """Return `recursions.adaptive_mean`."""
    x, out, bars, symbols = _laid_out(x)
    _loops.adaptive_mean(x, _by_bar(weights), out, bars, symbols, least)
    return out.T


def mean_over_gaps(x: FloatArray, span: int) -> FloatArray:
    """Return `recursions.mean_over_gaps`."""
    x, out, bars, symbols = _laid_out(x)
    _loops.mean_over_gaps(x, out, bars, symbols, 2.0 / (span + 1), span, span == IRREGULAR_SPAN)
    return out.T


def running_total(x: FloatArray) -> FloatArray:
    """Return `recursions.running_total`."""
    x, out, bars, symbols = _laid_out(x)
    _loops.running_total(x, out, bars, symbols)
    return out.T


def mean_deviation(x: FloatArray, mean: FloatArray, window: int) -> FloatArray:
    """Return `windows.mean_deviation`."""
    x, out, bars, symbols = _laid_out(x)
    _loops.mean_deviation(x, _by_bar(mean), out, bars, symbols, window)
    return out.T


def parabolic_stop(
    high: FloatArray, low: FloatArray, close: FloatArray, step: float, largest: float
) -> tuple[FloatArray, BoolArray]:
    """Return `recursions.parabolic_stop`."""
    close, stops, bars, symbols = _laid_out(close)
    sides = np.empty_like(stops)
    _loops.parabolic_stop(
        _by_bar(high), _by_bar(low), close, stops, sides, bars, symbols, step, largest
    )
    return stops.T, sides.T > 0.0


def rolling_max(x: FloatArray, window: int) -> FloatArray:
    """Return `windows.rolling_max`."""
    return _rolling(_loops.rolling_extreme, x, window, 1.0)


def rolling_min(x: FloatArray, window: int) -> FloatArray:
    """Return `windows.rolling_min`."""
    return _rolling(_loops.rolling_extreme, x, window, -1.0)


def rolling_sum(x: FloatArray, window: int) -> FloatArray:
    """Return `windows.rolling_sum`."""
    return _rolling(_loops.rolling_sum, x, window, 0.0)


def rolling_mean(x: FloatArray, window: int) -> FloatArray:
    """Return `windows.rolling_mean`."""
    return _rolling(_loops.rolling_sum, x, window, 1.0)


def rolling_age_of_max(x: FloatArray, window: int) -> FloatArray:
    """Return `windows.rolling_age_of_max`."""
    return _rolling(_loops.rolling_age_of_max, x, window, 0.0)


def _rolling(loop: Callable[..., None], x: FloatArray, window: int, mode: float) -> FloatArray:
    x, out, bars, symbols = _laid_out(x)
    scratch = np.empty((2 * bars, _loops.LANES))
    loop(x, out, scratch, bars, symbols, window, mode)
    return out.T


def _laid_out(x: FloatArray) -> tuple[FloatArray, FloatArray, int, int]:
    """Return `x` by bars, an array of that shape for the result, and the shape."""
    symbols, bars = x.shape
    return _by_bar(x), np.empty((bars, symbols)), bars, symbols


def _by_bar(x: FloatArray) -> FloatArray:
    """Return `x` as (bars, symbols), the numbers of a bar side by side; a view where it can be."""
    return np.ascontiguousarray(x.T, dtype=np.float64)
