"""Volume weighted average price: prices and volumes in, the mean price of a share out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_sum
from scanner.indicators.memory import window
from scanner.indicators.prices import typical_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Vwap:
    """Parameters of the volume weighted average price."""

    #: Bars of the mean.
    window: int = 14


def vwap(block: BarBlock, params: Vwap) -> tuple[FloatArray, ...]:
    """Return the mean of (high + low + close) / 3 of `window` bars weighted by volume, in price.

    Formula: as `ta` VolumeWeightedAveragePrice, over bars, not within a session. Warm-up:
    `window` bars. Flat prices: the price within its rounding. No volume in all of the window: NaN.
    """
    paid = typical_price(block)
    paid *= block.volume
    out = rolling_sum(paid, params.window)
    out /= rolling_sum(block.volume, params.window)
    return (out,)


VWAP: Final = Indicator(
    name="vwap",
    params=Vwap,
    kernel=vwap,
    formula="typical price weighted by volume, as ta VolumeWeightedAveragePrice",
    outputs=(
        Output(
            stem="vwap",
            arguments=("window",),
            unit="price",
            scale="price",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
            ta={(14,): "volume_vwap"},
        ),
    ),
)
