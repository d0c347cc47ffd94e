"""Mass index: highs and lows in, how much ranges widen out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_sum
from scanner.indicators.memory import Memory, decaying, span_decay
from scanner.indicators.recursive import ema_of_flow


@dataclass(frozen=True, slots=True, kw_only=True)
class MassIndex:
    """Parameters of the mass index."""

    #: Span of both means of the range, in bars.
    fast: int = 9
    #: Bars of the sum.
    slow: int = 25


def mass_index(block: BarBlock, params: MassIndex) -> tuple[FloatArray, ...]:
    """Return the sum over `slow` bars of ema(range) / ema(ema(range)), an index around `slow`.

    Formula: Dorsey (1992), as `ta` MassIndex. Warm-up: 2 `fast` + `slow` - 2 bars. Flat prices:
    NaN.
    """
    once = ema_of_flow(block.high - block.low, params.fast)
    once /= ema_of_flow(once, params.fast)
    return (rolling_sum(once, params.slow),)


def _memory(params: MassIndex) -> Memory:
    decay = span_decay(params.fast)
    return decaying(decay, decay, after=params.fast + params.slow - 2)


MASS_INDEX: Final = Indicator(
    name="mass_index",
    params=MassIndex,
    kernel=mass_index,
    formula="Dorsey's mass index (1992), as ta MassIndex",
    outputs=(
        Output(
            stem="mass_index",
            arguments=("fast", "slow"),
            unit="index",
            scale="oscillator",
            bars=lambda params: 2 * params.fast + params.slow - 2,
            memory=_memory,
            ta={(9, 25): "trend_mass_index"},
        ),
    ),
)
