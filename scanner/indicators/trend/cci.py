"""Commodity channel index: highs, lows and closes in, distance from the mean in deviations out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import mean_deviation, rolling_mean
from scanner.indicators.memory import window
from scanner.indicators.prices import typical_price

#: Largest deviation, relative to the price, that is rounding and not a move.
_ROUNDING: Final = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class Cci:
    """Parameters of the commodity channel index."""

    #: Bars of the mean and of the mean deviation.
    window: int = 20
    #: Lambert's constant puts most values between -100 and 100.
    constant: float = 0.015


def cci(block: BarBlock, params: Cci) -> tuple[FloatArray, ...]:
    """Return (typical price - its mean) / (`constant` * its mean absolute deviation), an index.

    Formula: Lambert (1980), as `ta` CCIIndicator. Warm-up: `window` bars. Flat prices: NaN.
    """
    typical = typical_price(block)
    mean = rolling_mean(typical, params.window)
    deviation = mean_deviation(typical, mean, params.window)
    # Typical prices that are equal in cents may differ in their last digit, which is no move.
    np.copyto(deviation, np.nan, where=deviation <= mean * _ROUNDING)
    deviation *= params.constant
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
            optional=("constant",),
            unit="index",
            scale="oscillator",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
            ta={(20,): "trend_cci"},
        ),
    ),
)
