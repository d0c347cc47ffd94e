"""MACD: closes in, the gap of two exponential means, its own mean and their difference out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.memory import Memory, decaying, span_decay
from scanner.indicators.recursive import ema


@dataclass(frozen=True, slots=True, kw_only=True)
class Macd:
    """Parameters of the moving average convergence divergence."""

    #: Span of the fast mean, in bars.
    fast: int = 12
    #: Span of the slow mean, in bars.
    slow: int = 26
    #: Span of the signal line, in bars of the gap.
    signal: int = 9


def macd(block: BarBlock, params: Macd) -> tuple[FloatArray, ...]:
    """Return the line, its signal and line - signal, each in price.

    Formula: Appel's ema(fast) - ema(slow), signal its own ema, as `ta` MACD. Warm-up: the longer
    span for the line, `signal` - 1 bars more for the others. Flat prices: 0.
    """
    line = ema(block.close, params.fast)
    line -= ema(block.close, params.slow)
    signal = ema(line, params.signal)
    return line, signal, line - signal


def _line_bars(params: Macd) -> int:
    return max(params.fast, params.slow)


def _signal_bars(params: Macd) -> int:
    return _line_bars(params) + params.signal - 1


def _signal_memory(params: Macd) -> Memory:
    slow = _line_bars(params)
    return decaying(span_decay(slow), span_decay(params.signal), after=slow - 1)


MACD: Final = Indicator(
    name="macd",
    params=Macd,
    kernel=macd,
    formula="Appel's difference of exponential means, as ta MACD",
    outputs=(
        Output(
            stem="macd",
            arguments=("fast", "slow"),
            unit="price",
            scale="price",
            bars=_line_bars,
            memory=lambda params: decaying(span_decay(_line_bars(params))),
            ta={(12, 26): "trend_macd"},
        ),
        Output(
            stem="macd_signal",
            arguments=("fast", "slow", "signal"),
            unit="price",
            scale="price",
            bars=_signal_bars,
            memory=_signal_memory,
            ta={(12, 26, 9): "trend_macd_signal"},
        ),
        Output(
            stem="macd_diff",
            arguments=("fast", "slow", "signal"),
            unit="price",
            scale="price",
            bars=_signal_bars,
            memory=_signal_memory,
            ta={(12, 26, 9): "trend_macd_diff"},
        ),
    ),
)
