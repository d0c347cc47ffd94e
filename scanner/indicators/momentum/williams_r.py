"""Williams %R: highs, lows and closes in, the close's depth below the highest high out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_max, rolling_min
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class WilliamsR:
    """Parameters of Williams %R."""

    #: Bars of the range.
    window: int = 14


def williams_r(block: BarBlock, params: WilliamsR) -> tuple[FloatArray, ...]:
    """Return -100 * (highest high - close) / (highest high - lowest low), from -100 to 0.

    Formula: Williams (1973), as `ta` WilliamsRIndicator. Warm-up: `window` bars. Flat prices: NaN.
    """
    highest = rolling_max(block.high, params.window)
    span = highest - rolling_min(block.low, params.window)
    np.copyto(span, np.nan, where=span == 0.0)
    out = highest - block.close
    out *= -100.0
    out /= span
    return (out,)


WILLIAMS_R: Final = Indicator(
    name="williams_r",
    params=WilliamsR,
    kernel=williams_r,
    formula="Williams' percent range (1973), as ta WilliamsRIndicator",
    outputs=(
        Output(
            stem="williams_r",
            arguments=("window",),
            unit="percent -100-0",
            scale="oscillator",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
            ta={(14,): "momentum_wr"},
        ),
    ),
)
