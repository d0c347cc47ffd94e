"""Vortex: highs, lows and closes in, the share of rising and of falling movement out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import shift
from scanner.indicators.loops import rolling_sum
from scanner.indicators.memory import window
from scanner.indicators.prices import true_range


@dataclass(frozen=True, slots=True, kw_only=True)
class Vortex:
    """Parameters of the vortex indicator."""

    #: Bars of the sums.
    window: int = 14


def vortex(block: BarBlock, params: Vortex) -> tuple[FloatArray, ...]:
    """Return VI+, VI- and their difference, each a ratio to the true range.

    Formula: Botes and Siepman (2010), as `ta` VortexIndicator. Warm-up: `window` + 1 bars. Flat
    prices: NaN.
    """
    span = rolling_sum(true_range(block), params.window)
    np.copyto(span, np.nan, where=span == 0.0)
    rising = np.abs(block.high - shift(block.low, 1))
    falling = np.abs(block.low - shift(block.high, 1))
    plus = rolling_sum(rising, params.window) / span
    minus = rolling_sum(falling, params.window) / span
    return plus, minus, plus - minus


def _output(part: str, ta: str) -> Output[Vortex]:
    return Output(
        stem=f"vortex_{part}",
        arguments=("window",),
        unit="ratio",
        scale="ratio",
        bars=lambda params: params.window + 1,
        memory=lambda params: window(params.window + 1),
        ta={(14,): ta},
    )


VORTEX: Final = Indicator(
    name="vortex",
    params=Vortex,
    kernel=vortex,
    formula="Botes and Siepman's vortex (2010), as ta VortexIndicator",
    outputs=(
        _output("plus", "trend_vortex_ind_pos"),
        _output("minus", "trend_vortex_ind_neg"),
        _output("diff", "trend_vortex_ind_diff"),
    ),
)
