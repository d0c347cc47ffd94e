"""Detrended price: closes in, how far an earlier close lay from the mean out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import shift
from scanner.indicators.loops import rolling_mean
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Dpo:
    """Parameters of the detrended price oscillator."""

    #: Bars of the mean; the close is taken `window` // 2 + 1 bars back.
    window: int = 20


def dpo(block: BarBlock, params: Dpo) -> tuple[FloatArray, ...]:
    """Return the close `window` // 2 + 1 bars ago less the mean close of `window` bars, in price.

    Formula: as `ta` DPOIndicator, which looks back, not ahead. Warm-up: `window` bars. Flat
    prices: 0.
    """
    out = shift(block.close, _lag(params))
    out -= rolling_mean(block.close, params.window)
    return (out,)


def _lag(params: Dpo) -> int:
    return params.window // 2 + 1


def _bars(params: Dpo) -> int:
    return max(params.window, _lag(params) + 1)


DPO: Final = Indicator(
    name="dpo",
    params=Dpo,
    kernel=dpo,
    formula="detrended price oscillator, as ta DPOIndicator",
    outputs=(
        Output(
            stem="dpo",
            arguments=("window",),
            unit="price",
            scale="price",
            bars=_bars,
            memory=lambda params: window(_bars(params)),
            ta={(20,): "trend_dpo"},
        ),
    ),
)
