"""Weighted moving average: closes in, their linearly weighted mean out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.memory import window
from scanner.indicators.window import rolling_weighted_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Wma:
    """Parameters of the weighted moving average."""

    #: Bars of the mean.
    window: int = 9


def wma(block: BarBlock, params: Wma) -> tuple[FloatArray, ...]:
    """Return the mean close of `window` bars, the oldest weighted 1 and the last `window`.

    Formula: linearly weighted mean, as `ta` WMAIndicator. Warm-up: `window` bars. Flat prices:
    the price within its rounding.
    """
    return (rolling_weighted_mean(block.close, params.window),)


WMA: Final = Indicator(
    name="wma",
    params=Wma,
    kernel=wma,
    formula="linearly weighted mean, as ta WMAIndicator",
    outputs=(
        Output(
            stem="wma",
            arguments=("window",),
            unit="price",
            scale="price",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
        ),
    ),
)
