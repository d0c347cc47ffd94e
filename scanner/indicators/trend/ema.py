"""Exponential moving average: closes in, their exponentially weighted mean out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators import recursive
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.memory import decaying, span_decay


@dataclass(frozen=True, slots=True, kw_only=True)
class Ema:
    """Parameters of the exponential moving average."""

    #: Span in bars: a new close weighs 2 / (window + 1).
    window: int = 20


def ema(block: BarBlock, params: Ema) -> tuple[FloatArray, ...]:
    """Return the exponential mean of the closes, in price.

    Formula: mean + 2 / (window + 1) * (close - mean), seeded with the first close, as `ta`
    EMAIndicator. Warm-up: `window` bars. Flat prices: exactly the price.
    """
    return (recursive.ema(block.close, params.window),)


EMA: Final = Indicator(
    name="ema",
    params=Ema,
    kernel=ema,
    formula="exponential mean of weight 2 / (window + 1), as ta EMAIndicator",
    outputs=(
        Output(
            stem="ema",
            arguments=("window",),
            unit="price",
            scale="price",
            bars=lambda params: params.window,
            memory=lambda params: decaying(span_decay(params.window)),
            ta={(12,): "trend_ema_fast", (26,): "trend_ema_slow"},
        ),
    ),
)
