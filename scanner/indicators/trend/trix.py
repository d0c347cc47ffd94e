"""TRIX: closes in, the change of their threefold exponential mean out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import growth
from scanner.indicators.memory import Memory, decaying, span_decay
from scanner.indicators.recursive import ema


@dataclass(frozen=True, slots=True, kw_only=True)
class Trix:
    """Parameters of TRIX."""

    #: Span of each of the three means, in bars.
    window: int = 15


def trix(block: BarBlock, params: Trix) -> tuple[FloatArray, ...]:
    """Return the change from bar to bar of ema(ema(ema(close))), in percent.

    Formula: Hutson (1983), as `ta` TRIXIndicator. Warm-up: 3 `window` - 1 bars. Flat prices: 0.
    """
    smooth = block.close
    for _ in range(3):
        smooth = ema(smooth, params.window)
    out = growth(smooth, 1)
    out *= 100.0
    return (out,)


def _bars(params: Trix) -> int:
    return 3 * (params.window - 1) + 2


def _memory(params: Trix) -> Memory:
    decay = span_decay(params.window)
    return decaying(decay, decay, decay, after=_bars(params) - params.window)


TRIX: Final = Indicator(
    name="trix",
    params=Trix,
    kernel=trix,
    formula="Hutson's change of a threefold exponential mean (1983), as ta TRIXIndicator",
    outputs=(
        Output(
            stem="trix",
            arguments=("window",),
            unit="percent",
            scale="oscillator",
            bars=_bars,
            memory=_memory,
            ta={(15,): "trend_trix"},
        ),
    ),
)
