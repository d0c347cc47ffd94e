"""Two recursions for numba: (bars, symbols) arrays come in, one of that shape goes out.

Nothing here knows of missing bars: the kernels do more than these.
"""

from __future__ import annotations

import numba
import numpy as np

from scanner.bars.block import FloatArray


@numba.njit(cache=True)
def ema(close: FloatArray, window: int) -> FloatArray:
    """Return the exponential mean of whole series, NaN until it rests on `window` bars."""
    bars, symbols = close.shape
    weight = 2.0 / (window + 1)
    out = np.empty_like(close)
    mean = close[0].copy()
    for bar in range(bars):
        for row in range(symbols):
            mean[row] += weight * (close[bar, row] - mean[row])
            out[bar, row] = mean[row] if bar >= window - 1 else np.nan
    return out


@numba.njit(cache=True)
def psar(
    high: FloatArray, low: FloatArray, close: FloatArray, step: float, largest: float
) -> FloatArray:
    """Return the parabolic stop of whole series, as ta has it; the first two are closes.

    A fall is seen as a rise of negated prices.
    """
    bars, symbols = close.shape
    out = close.copy()
    for row in range(symbols):
        rising, speed = True, step
        stop, extreme = close[1, row], high[0, row]
        for bar in range(2, bars):
            behind, ahead = _edges(high[bar, row], low[bar, row], rising)
            stop += speed * (extreme - stop)
            if behind < stop:
                stop, extreme, speed, rising = -extreme, -behind, step, not rising
            else:
                if ahead > extreme:
                    extreme, speed = ahead, min(speed + step, largest)
                before, _ = _edges(high[bar - 1, row], low[bar - 1, row], rising)
                earlier, _ = _edges(high[bar - 2, row], low[bar - 2, row], rising)
                stop = earlier if earlier < stop else min(stop, before)
            out[bar, row] = stop if rising else -stop
    return out


@numba.njit(cache=True)
def _edges(high: float, low: float, rising: bool) -> tuple[float, float]:
    return (low, high) if rising else (-high, -low)
