"""Ultimate oscillator: highs, lows and closes in, buying pressure of three spans out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import shift
from scanner.indicators.loops import rolling_sum
from scanner.indicators.memory import window
from scanner.indicators.prices import true_range


@dataclass(frozen=True, slots=True, kw_only=True)
class Uo:
    """Parameters of the ultimate oscillator."""

    #: Bars of the three sums.
    short: int = 7
    middle: int = 14
    long: int = 28
    #: Weights of the three parts.
    short_weight: float = 4.0
    middle_weight: float = 2.0
    long_weight: float = 1.0


def uo(block: BarBlock, params: Uo) -> tuple[FloatArray, ...]:
    """Return the weighted mean of buying pressure / true range over three spans, 0 to 100.

    Formula: Williams (1985), as `ta` UltimateOscillator. Warm-up: the longest span + 1 bars. Flat
    prices: NaN.
    """
    span = true_range(block)
    pressure = block.close - np.minimum(block.low, shift(block.close, 1))
    total = np.zeros_like(span)
    weights = params.short_weight + params.middle_weight + params.long_weight
    for bars, weight in (
        (params.short, params.short_weight),
        (params.middle, params.middle_weight),
        (params.long, params.long_weight),
    ):
        part = rolling_sum(pressure, bars)
        whole = rolling_sum(span, bars)
        np.copyto(whole, np.nan, where=whole == 0.0)
        part /= whole
        part *= 100.0 * weight / weights
        total += part
    return (total,)


def _bars(params: Uo) -> int:
    return max(params.short, params.middle, params.long) + 1


UO: Final = Indicator(
    name="uo",
    params=Uo,
    kernel=uo,
    formula="Williams' ultimate oscillator (1985), as ta UltimateOscillator",
    outputs=(
        Output(
            stem="uo",
            arguments=("short", "middle", "long"),
            optional=("short_weight", "middle_weight", "long_weight"),
            unit="percent 0-100",
            scale="oscillator",
            bars=_bars,
            memory=lambda params: window(_bars(params)),
            ta={(7, 14, 28): "momentum_uo"},
        ),
    ),
)
