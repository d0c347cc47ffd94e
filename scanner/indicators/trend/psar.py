"""Parabolic stop and reverse: highs, lows and closes in, the trailing stop out."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, BoolArray, FloatArray
from scanner.indicators.indicator import Indicator, Made, Number, Output, Scale, Unit
from scanner.indicators.loops import parabolic_stop
from scanner.indicators.memory import PATH
from scanner.indicators.missing import only_where, without_warm_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Psar:
    """Parameters of the parabolic stop and reverse."""

    #: What the acceleration begins with, and grows by at each new extreme.
    step: float = 0.02
    #: Largest acceleration.
    largest: float = 0.2


def psar(block: BarBlock, params: Psar) -> tuple[Made, ...]:
    """Return the stop, the stop below a rise, the stop above a fall, and a flag at each turn.

    Of the second and third, one is NaN at each bar by definition; the flags are 1.0 at the bar
    at which a rise or a fall begins, else 0.0. Formula: Wilder (1978), beginning with a rise from
    the first high, as `ta` PSARIndicator, which moves a stop to the second last extreme where it
    would lie beyond it, and at a turn to the extreme itself. Warm-up: 3 bars. Flat prices: the
    price, rising.
    """
    stop, rising = parabolic_stop(block.high, block.low, block.close, params.step, params.largest)
    without_warm_up(stop, np.isnan(block.close), _BARS)
    missing = np.isnan(stop)
    rising &= ~missing
    falling = ~(rising | missing)
    sides = (functools.partial(only_where, stop, side) for side in (rising, falling))
    turns = (functools.partial(_turns, side, missing) for side in (rising, falling))
    return stop, *sides, *turns


#: The first two closes stand for the stop that it starts from.
_BARS: Final = 3


def _turns(side: BoolArray, missing: BoolArray) -> FloatArray:
    begins = side.copy(order="K")
    begins[:, 1:] &= ~side[:, :-1]
    return only_where(begins.astype(np.float64), ~missing)


def _output(part: str, unit: Unit, scale: Scale, ta: dict[tuple[Number, ...], str]) -> Output[Psar]:
    return Output(
        stem=f"psar{part}",
        arguments=("step", "largest"),
        unit=unit,
        scale=scale,
        bars=lambda _params: _BARS,
        memory=lambda _params: PATH,
        ta=ta,
    )


_USUAL: Final = (0.02, 0.2)

PSAR: Final = Indicator(
    name="psar",
    params=Psar,
    kernel=psar,
    formula="Wilder's parabolic stop and reverse (1978), as ta PSARIndicator",
    outputs=(
        _output("", "price", "price", {}),
        _output("_up", "price", "price", {_USUAL: "trend_psar_up"}),
        _output("_down", "price", "price", {_USUAL: "trend_psar_down"}),
        _output("_up_turn", "flag 0 or 1", "ratio", {_USUAL: "trend_psar_up_indicator"}),
        _output("_down_turn", "flag 0 or 1", "ratio", {_USUAL: "trend_psar_down_indicator"}),
    ),
)
