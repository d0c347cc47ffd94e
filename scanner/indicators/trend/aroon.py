"""Aroon: highs and lows in, how recent their extremes are out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output, Unit
from scanner.indicators.loops import rolling_age_of_max
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Aroon:
    """Parameters of the Aroon indicator."""

    #: Bars before the last one in which the extremes are looked for.
    window: int = 25


def aroon(block: BarBlock, params: Aroon) -> tuple[FloatArray, ...]:
    """Return Aroon up and down, each 0 to 100, and up - down.

    100 is an extreme in the last bar, 0 one `window` bars ago; of equal extremes the oldest
    counts. Formula: Chande (1995), as `ta` AroonIndicator. Warm-up: `window` + 1 bars. Flat
    prices: 0 for all three.
    """
    up, down = (
        _nearness(rolling_age_of_max(x, params.window + 1), params.window)
        for x in (block.high, -block.low)
    )
    return up, down, up - down


def _nearness(age: FloatArray, bars: int) -> FloatArray:
    np.subtract(bars, age, out=age)
    age /= bars
    age *= 100.0
    return age


def _output(part: str, unit: Unit, ta: str) -> Output[Aroon]:
    return Output(
        stem=f"aroon_{part}",
        arguments=("window",),
        unit=unit,
        scale="oscillator",
        bars=lambda params: params.window + 1,
        memory=lambda params: window(params.window + 1),
        ta={(25,): ta},
    )


AROON: Final = Indicator(
    name="aroon",
    params=Aroon,
    kernel=aroon,
    formula="Chande's Aroon (1995), as ta AroonIndicator",
    outputs=(
        _output("up", "percent 0-100", "trend_aroon_up"),
        _output("down", "percent 0-100", "trend_aroon_down"),
        _output("diff", "percent -100-100", "trend_aroon_ind"),
    ),
)
