"""Commodity channel index: highs, lows and closes in, distance from the mean in deviations out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.window import mean_deviation, rolling_mean

#: Lambert's constant, which puts most values between -100 and 100.
CONSTANT: Final = 0.015


@dataclass(frozen=True, slots=True, kw_only=True)
class Cci:
    """Parameters of the commodity channel index."""

    #: Bars of the mean and of the mean deviation.
    window: int = 20


def cci(block: BarBlock, params: Cci) -> tuple[FloatArray, ...]:
    """Return (typical price - its mean) / (0.015 * its mean absolute deviation), an index.

    Formula: Lambert (1980), as `ta` CCIIndicator. Warm-up: `window` bars. Flat prices: NaN.
    """
    typical = (block.high + block.low + block.close) / 3.0
    mean = rolling_mean(typical, params.window)
    deviation = mean_deviation(typical, mean, params.window)
    deviation *= CONSTANT
    typical -= mean
    np.divide(typical, deviation, out=typical)
    return (typical,)


CCI: Final = Indicator(
    name="cci",
    params=Cci,
    kernel=cci,
    formula="Lambert's commodity channel index (1980), as ta CCIIndicator",
    least=2,
    outputs=(
        Output(
            stem="cci",
            arguments=("window",),
            unit="index",
            scale="oscillator",
            bars=lambda params: params.window,
            ta={(20,): "trend_cci"},
        ),
    ),
)
