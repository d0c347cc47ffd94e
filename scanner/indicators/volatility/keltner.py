"""Keltner channels: highs, lows and closes in, bands around their mean out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock
from scanner.indicators.indicator import Indicator, Made
from scanner.indicators.loops import rolling_mean
from scanner.indicators.memory import Memory, decaying, span_decay, wilder_decay, window
from scanner.indicators.prices import true_range, typical_price
from scanner.indicators.recursive import ema, wilder
from scanner.indicators.volatility.channel import bands, channel_outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Keltner:
    """Parameters of Keltner's own channel."""

    #: Bars of the means of price and range.
    window: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class KeltnerAtr:
    """Parameters of the Keltner channel of average true ranges."""

    #: Span of the exponential mean, in bars.
    window: int = 20
    #: Bars of Wilder's smoothing of the true range.
    window_atr: int = 10
    #: Average true ranges from the middle to each band.
    multiplier: float = 2.0


def keltner(block: BarBlock, params: Keltner) -> tuple[Made, ...]:
    """Return the parts of the channel of mean (high + low + close) / 3 and mean high - low.

    Formula: Keltner (1960), as `ta` KeltnerChannel in its original version. Warm-up: `window`
    bars. Flat prices: all bands on the price, width 0, place NaN, flags 0.
    """
    middle = rolling_mean(typical_price(block), params.window)
    half = rolling_mean(block.high - block.low, params.window)
    return bands(block.close, middle, half)


def keltner_atr(block: BarBlock, params: KeltnerAtr) -> tuple[Made, ...]:
    """Return the parts of the channel of mean close and `multiplier` average true ranges.

    Formula: Raschke's variant, as `ta` KeltnerChannel with original_version=False. Warm-up: the
    longer of both windows. Flat prices: all bands on the price, width 0, place NaN, flags 0.
    """
    half = wilder(true_range(block), params.window_atr)
    half *= params.multiplier
    middle = ema(block.close, params.window)
    np.copyto(middle, np.nan, where=np.isnan(half))
    np.copyto(half, np.nan, where=np.isnan(middle))
    return bands(block.close, middle, half)


def _atr_bars(params: KeltnerAtr) -> int:
    return max(params.window, params.window_atr)


def _atr_memory(params: KeltnerAtr) -> Memory:
    decay = max(span_decay(params.window), wilder_decay(params.window_atr))
    return decaying(decay, after=1)


KELTNER: Final = Indicator(
    name="keltner",
    params=Keltner,
    kernel=keltner,
    formula="Keltner's channel (1960), as ta KeltnerChannel",
    outputs=channel_outputs(
        "keltner",
        ("window",),
        bars=lambda params: params.window,
        memory=lambda params: window(params.window),
        ta={(10,): "volatility_kc"},
    ),
)

KELTNER_ATR: Final = Indicator(
    name="keltner_atr",
    params=KeltnerAtr,
    kernel=keltner_atr,
    formula="Keltner channel of average true ranges, as ta KeltnerChannel(original_version=False)",
    outputs=channel_outputs(
        "keltner_atr",
        ("window", "window_atr", "multiplier"),
        bars=_atr_bars,
        memory=_atr_memory,
        ta={},
    ),
)
