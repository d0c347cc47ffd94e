"""Ulcer index: closes in, the depth and length of their falls from a high out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_sum
from scanner.indicators.memory import window
from scanner.indicators.window import expanding_max


@dataclass(frozen=True, slots=True, kw_only=True)
class Ulcer:
    """Parameters of the ulcer index."""

    #: Bars of the high, and of the mean.
    window: int = 14


def ulcer(block: BarBlock, params: Ulcer) -> tuple[FloatArray, ...]:
    """Return the root mean square of the close's distance from its high, in percent.

    The first `window` - 1 highs are those of the bars that there are. Formula: Martin (1987), as
    `ta` UlcerIndex. Warm-up: `window` bars. Flat prices: 0.
    """
    high = expanding_max(block.close, params.window)
    fall = block.close - high
    fall *= 100.0
    fall /= high
    fall *= fall
    fall /= params.window
    out = rolling_sum(fall, params.window)
    np.sqrt(out, out=out)
    return (out,)


ULCER: Final = Indicator(
    name="ulcer",
    params=Ulcer,
    kernel=ulcer,
    formula="Martin's ulcer index (1987), as ta UlcerIndex",
    outputs=(
        Output(
            stem="ulcer",
            arguments=("window",),
            unit="percent",
            scale="oscillator",
            bars=lambda params: params.window,
            memory=lambda params: window(2 * params.window - 1),
            ta={(14,): "volatility_ui"},
        ),
    ),
)
