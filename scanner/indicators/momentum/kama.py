"""Kaufman's adaptive mean: closes in, a mean that follows the steadier the move out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import change
from scanner.indicators.loops import adaptive_mean, rolling_sum
from scanner.indicators.memory import decaying


@dataclass(frozen=True, slots=True, kw_only=True)
class Kama:
    """Parameters of Kaufman's adaptive moving average."""

    #: Bars of the efficiency ratio.
    window: int = 10
    #: Span of the fastest mean, in bars.
    fast: int = 2
    #: Span of the slowest mean, in bars.
    slow: int = 30


def kama(block: BarBlock, params: Kama) -> tuple[FloatArray, ...]:
    """Return the adaptive mean of the closes, in price.

    Formula: Kaufman (1995), mean + s * (close - mean), the root of s going from the slow to the
    fast weight as net move / path goes from 0 to 1, seeded with the close of bar `window`, as
    `ta` KAMAIndicator. Warm-up: `window` bars. Flat prices: exactly the price.
    """
    weight = weights(efficiency(block, params), params)
    return (adaptive_mean(block.close, weight, params.window),)


def efficiency(block: BarBlock, params: Kama) -> FloatArray:
    """Return net move / path over `window` bars, 0 to 1, 0 where nothing moved."""
    path = rolling_sum(np.abs(change(block.close, 1)), params.window)
    ratio = np.abs(change(block.close, params.window))
    ratio /= path
    np.copyto(ratio, 0.0, where=path == 0.0)
    return ratio


def weights(ratio: FloatArray, params: Kama) -> FloatArray:
    """Return the weight of a new close for each efficiency `ratio`."""
    fast, slow = 2.0 / (params.fast + 1), 2.0 / (params.slow + 1)
    weight = ratio * (fast - slow)
    weight += slow
    weight *= weight
    return weight


KAMA: Final = Indicator(
    name="kama",
    params=Kama,
    kernel=kama,
    formula="Kaufman's adaptive moving average (1995), as ta KAMAIndicator",
    outputs=(
        Output(
            stem="kama",
            arguments=("window", "fast", "slow"),
            unit="price",
            scale="price",
            bars=lambda params: params.window,
            # Where the close goes nowhere the mean is at its slowest.
            memory=lambda params: decaying(
                1.0 - (2.0 / (max(params.fast, params.slow) + 1)) ** 2, after=params.window
            ),
            ta={(10, 2, 30): "momentum_kama"},
        ),
    ),
)
