"""Awesome oscillator: highs and lows in, the gap of two means of their middle out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_mean
from scanner.indicators.memory import window
from scanner.indicators.prices import median_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Ao:
    """Parameters of the awesome oscillator."""

    #: Bars of the fast mean.
    fast: int = 5
    #: Bars of the slow mean.
    slow: int = 34


def ao(block: BarBlock, params: Ao) -> tuple[FloatArray, ...]:
    """Return the mean (high + low) / 2 of `fast` bars less that of `slow` bars, in price.

    Formula: Williams (1998), as `ta` AwesomeOscillatorIndicator. Warm-up: the longer mean's
    bars. Flat prices: 0.
    """
    middle = median_price(block)
    out = rolling_mean(middle, params.fast)
    out -= rolling_mean(middle, params.slow)
    return (out,)


def _bars(params: Ao) -> int:
    return max(params.fast, params.slow)


AO: Final = Indicator(
    name="ao",
    params=Ao,
    kernel=ao,
    formula="Williams' awesome oscillator (1998), as ta AwesomeOscillatorIndicator",
    outputs=(
        Output(
            stem="ao",
            arguments=("fast", "slow"),
            unit="price",
            scale="price",
            bars=_bars,
            memory=lambda params: window(_bars(params)),
            ta={(5, 34): "momentum_ao"},
        ),
    ),
)
