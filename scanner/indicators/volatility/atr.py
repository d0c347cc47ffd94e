"""Average true range: highs, lows and closes in, the smoothed size of a bar's move out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.memory import decaying, wilder_decay
from scanner.indicators.prices import true_range
from scanner.indicators.recursive import wilder


@dataclass(frozen=True, slots=True, kw_only=True)
class Atr:
    """Parameters of the average true range."""

    #: Bars of Wilder's smoothing.
    window: int = 14


def atr(block: BarBlock, params: Atr) -> tuple[FloatArray, ...]:
    """Return Wilder's mean of the true range, in price.

    Formula: Wilder (1978), the first bar's range being high - low, as `ta` AverageTrueRange.
    Warm-up: `window` bars. Flat prices: 0.
    """
    return (wilder(true_range(block), params.window),)


ATR: Final = Indicator(
    name="atr",
    params=Atr,
    kernel=atr,
    formula="Wilder's average true range (1978), as ta AverageTrueRange",
    outputs=(
        Output(
            stem="atr",
            arguments=("window",),
            unit="price",
            scale="price",
            bars=lambda params: params.window,
            memory=lambda params: decaying(wilder_decay(params.window), after=1),
            ta={(10,): "volatility_atr"},
        ),
    ),
)
