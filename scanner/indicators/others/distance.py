"""Distance from an extreme: prices in, how far the close is from a high or a low out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_max, rolling_min
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """Parameters of the distance from an extreme."""

    #: Bars of the range, the bar itself among them.
    window: int = 252


def distance_high(block: BarBlock, params: Distance) -> tuple[FloatArray, ...]:
    """Return close / highest high of `window` bars - 1, as a ratio: 0 at the high, else below.

    Formula: relative distance. Warm-up: `window` bars. Flat prices: 0.
    """
    return (_distance(block.close, rolling_max(block.high, params.window)),)


def distance_low(block: BarBlock, params: Distance) -> tuple[FloatArray, ...]:
    """Return close / lowest low of `window` bars - 1, as a ratio: 0 at the low, else above.

    Formula: relative distance. Warm-up: `window` bars. Flat prices: 0.
    """
    return (_distance(block.close, rolling_min(block.low, params.window)),)


def _distance(close: FloatArray, extreme: FloatArray) -> FloatArray:
    np.divide(close, extreme, out=extreme)
    extreme -= 1.0
    return extreme


DISTANCE_HIGH: Final = Indicator(
    name="distance_high",
    params=Distance,
    kernel=distance_high,
    formula="close / highest high - 1",
    outputs=(
        Output(
            stem="distance_high",
            arguments=("window",),
            unit="ratio",
            scale="ratio",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
        ),
    ),
)

DISTANCE_LOW: Final = Indicator(
    name="distance_low",
    params=Distance,
    kernel=distance_low,
    formula="close / lowest low - 1",
    outputs=(
        Output(
            stem="distance_low",
            arguments=("window",),
            unit="ratio",
            scale="ratio",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
        ),
    ),
)
