"""Stochastic oscillator: highs, lows and closes in, the close's place in its range out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_max, rolling_mean, rolling_min
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Stoch:
    """Parameters of the stochastic oscillator."""

    #: Bars of the range.
    window: int = 14
    #: Bars of the signal line's mean.
    smooth: int = 3


def stoch(block: BarBlock, params: Stoch) -> tuple[FloatArray, ...]:
    """Return %K, not smoothed, and its mean %D, each from 0 to 100.

    Formula: Lane's 100 * (close - lowest low) / (highest high - lowest low), as `ta`
    StochasticOscillator. Warm-up: `window` bars, and `smooth` - 1 more for %D. Flat prices: NaN.
    """
    lowest = rolling_min(block.low, params.window)
    span = rolling_max(block.high, params.window) - lowest
    np.copyto(span, np.nan, where=span == 0.0)
    out = block.close - lowest
    out *= 100.0
    out /= span
    return out, rolling_mean(out, params.smooth)


STOCH: Final = Indicator(
    name="stoch",
    params=Stoch,
    kernel=stoch,
    formula="Lane's stochastic oscillator, as ta StochasticOscillator",
    outputs=(
        Output(
            stem="stoch",
            arguments=("window", "smooth"),
            unit="percent 0-100",
            scale="oscillator",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
            ta={(14, 3): "momentum_stoch"},
        ),
        Output(
            stem="stoch_signal",
            arguments=("window", "smooth"),
            unit="percent 0-100",
            scale="oscillator",
            bars=lambda params: params.window + params.smooth - 1,
            memory=lambda params: window(params.window + params.smooth - 1),
            ta={(14, 3): "momentum_stoch_signal"},
        ),
    ),
)
