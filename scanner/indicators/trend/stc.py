"""Schaff trend cycle: closes in, a twice repeated stochastic of their MACD out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_max, rolling_min
from scanner.indicators.memory import PATH
from scanner.indicators.recursive import ema_over_gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class Stc:
    """Parameters of the Schaff trend cycle."""

    #: Span of the fast mean, in bars.
    fast: int = 23
    #: Span of the slow mean, in bars.
    slow: int = 50
    #: Bars of both ranges.
    cycle: int = 10
    #: Spans of the means of the first and the second stochastic, in bars.
    smooth_k: int = 3
    smooth_d: int = 3


def stc(block: BarBlock, params: Stc) -> tuple[FloatArray, ...]:
    """Return the smoothed stochastic of the smoothed stochastic of the MACD line, 0 to 100.

    Where a range is 0 wide the mean of its places stays where it was, for ever if need be.
    Formula: Schaff (1999), as `ta` STCIndicator. Warm-up: the longer span + 2 `cycle` +
    `smooth_k` + `smooth_d` - 4 bars. Flat prices: NaN.
    """
    line = ema_over_gaps(block.close, params.fast)
    line -= ema_over_gaps(block.close, params.slow)
    for smooth in (params.smooth_k, params.smooth_d):
        line = ema_over_gaps(_place(line, params.cycle), smooth)
    return (line,)


def _place(line: FloatArray, bars: int) -> FloatArray:
    lowest = rolling_min(line, bars)
    span = rolling_max(line, bars) - lowest
    np.copyto(span, np.nan, where=span == 0.0)
    out = line - lowest
    out *= 100.0
    out /= span
    return out


def _bars(params: Stc) -> int:
    first = max(params.fast, params.slow) + 2 * (params.cycle - 1)
    return first + params.smooth_k + params.smooth_d - 2


STC: Final = Indicator(
    name="stc",
    params=Stc,
    kernel=stc,
    formula="Schaff's trend cycle (1999), as ta STCIndicator",
    outputs=(
        Output(
            stem="stc",
            arguments=("fast", "slow", "cycle", "smooth_k", "smooth_d"),
            unit="percent 0-100",
            scale="oscillator",
            bars=_bars,
            memory=lambda _params: PATH,
            ta={(23, 50, 10, 3, 3): "trend_stc"},
        ),
    ),
)
