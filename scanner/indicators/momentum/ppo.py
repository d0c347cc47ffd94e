"""Percentage oscillators: closes or volumes in, the gap of two means in percent out."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Made, Output
from scanner.indicators.memory import Memory, decaying, span_decay
from scanner.indicators.recursive import ema, ema_of_any, ema_of_flow


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentOscillator:
    """Parameters of the percentage price and volume oscillators."""

    #: Span of the fast mean, in bars.
    fast: int = 12
    #: Span of the slow mean, in bars.
    slow: int = 26
    #: Span of the signal line, in bars of the line.
    signal: int = 9


def ppo(block: BarBlock, params: PercentOscillator) -> tuple[Made, ...]:
    """Return 100 * (ema(fast) / ema(slow) - 1) of the closes, its ema and their gap, in percent.

    Formula: Appel's MACD relative to the slow mean, as `ta` PercentagePriceOscillator. Warm-up:
    the longer span, and `signal` - 1 bars more for the others. Flat prices: 0.
    """
    line = ema(block.close, params.fast)
    slow = ema(block.close, params.slow)
    return _lines(line, slow, params)


def pvo(block: BarBlock, params: PercentOscillator) -> tuple[Made, ...]:
    """Return 100 * (ema(fast) / ema(slow) - 1) of the volumes, its ema and their gap, in percent.

    Formula: as `ppo`, of volumes, as `ta` PercentageVolumeOscillator. Warm-up: as `ppo`. No
    volume at all: NaN.
    """
    line = ema_of_flow(block.volume, params.fast)
    slow = ema_of_flow(block.volume, params.slow)
    np.copyto(slow, np.nan, where=slow == 0.0)
    return _lines(line, slow, params)


def _lines(line: FloatArray, slow: FloatArray, params: PercentOscillator) -> tuple[Made, ...]:
    line -= slow
    line /= slow
    line *= 100.0
    signal = functools.cache(lambda: ema_of_any(line, params.signal))
    return line, signal, lambda: line - signal()


def _line_bars(params: PercentOscillator) -> int:
    return max(params.fast, params.slow)


def _signal_bars(params: PercentOscillator) -> int:
    return _line_bars(params) + params.signal - 1


def _line_memory(params: PercentOscillator) -> Memory:
    return decaying(span_decay(_line_bars(params)))


def _signal_memory(params: PercentOscillator) -> Memory:
    slow = _line_bars(params)
    return decaying(span_decay(slow), span_decay(params.signal), after=slow - 1)


def _outputs(stem: str) -> tuple[Output[PercentOscillator], ...]:
    line: Output[PercentOscillator] = Output(
        stem=stem,
        arguments=("fast", "slow"),
        unit="percent",
        scale="oscillator",
        bars=_line_bars,
        memory=_line_memory,
        ta={(12, 26): f"momentum_{stem}"},
    )
    others = (
        Output(
            stem=f"{stem}_{part}",
            arguments=("fast", "slow", "signal"),
            unit="percent",
            scale="oscillator",
            bars=_signal_bars,
            memory=_signal_memory,
            ta={(12, 26, 9): f"momentum_{stem}_{ta}"},
        )
        for part, ta in (("signal", "signal"), ("diff", "hist"))
    )
    return (line, *others)


PPO: Final = Indicator(
    name="ppo",
    params=PercentOscillator,
    kernel=ppo,
    formula="gap of exponential means in percent of the slow one, as ta PercentagePriceOscillator",
    outputs=_outputs("ppo"),
)

PVO: Final = Indicator(
    name="pvo",
    params=PercentOscillator,
    kernel=pvo,
    formula="as ppo, of volumes, as ta PercentageVolumeOscillator",
    outputs=_outputs("pvo"),
)
