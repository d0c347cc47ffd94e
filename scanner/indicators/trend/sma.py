"""Simple moving average: closes in, their mean and the distance from it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_mean
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Sma:
    """Parameters of the simple moving average."""

    #: Bars of the mean.
    window: int = 20


def sma(block: BarBlock, params: Sma) -> tuple[FloatArray, ...]:
    """Return the mean close of `window` bars, in price.

    Formula: arithmetic mean, as `ta` SMAIndicator. Warm-up: `window` bars. Flat prices: exactly
    the price.
    """
    return (rolling_mean(block.close, params.window),)


def distance_sma(block: BarBlock, params: Sma) -> tuple[FloatArray, ...]:
    """Return close / mean close of `window` bars - 1, as a ratio.

    Formula: close over `sma`, less 1. Warm-up: `window` bars. Flat prices: exactly 0.
    """
    out = block.close / rolling_mean(block.close, params.window)
    out -= 1.0
    return (out,)


SMA: Final = Indicator(
    name="sma",
    params=Sma,
    kernel=sma,
    formula="arithmetic mean, as ta SMAIndicator",
    outputs=(
        Output(
            stem="sma",
            arguments=("window",),
            unit="price",
            scale="price",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
            ta={(12,): "trend_sma_fast", (26,): "trend_sma_slow"},
        ),
    ),
)

DISTANCE_SMA: Final = Indicator(
    name="distance_sma",
    params=Sma,
    kernel=distance_sma,
    formula="close / sma - 1",
    outputs=(
        Output(
            stem="distance_sma",
            arguments=("window",),
            unit="ratio",
            scale="ratio",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
        ),
    ),
)
