"""Ease of movement: highs, lows and volumes in, the move that a share buys out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import change
from scanner.indicators.loops import rolling_mean
from scanner.indicators.memory import window

#: What `ta` multiplies by, so that the numbers of ordinary volumes are readable.
FACTOR: Final = 1e8


@dataclass(frozen=True, slots=True, kw_only=True)
class Eom:
    """Parameters of the ease of movement."""

    #: Bars of the mean.
    window: int = 14


def eom(block: BarBlock, params: Eom) -> tuple[FloatArray, ...]:
    """Return 1e8 * move of (high + low) / 2 * (high - low) / volume, and its mean.

    Formula: Arms, as `ta` EaseOfMovementIndicator. Warm-up: 2 bars, and `window` + 1 for the
    mean. Flat prices: 0. A bar without volume: NaN.
    """
    out = change(block.high, 1)
    out += change(block.low, 1)
    out *= block.high - block.low
    out /= 2.0 * block.volume
    out *= FACTOR
    np.copyto(out, np.nan, where=block.volume == 0.0)
    return out, rolling_mean(out, params.window)


EOM: Final = Indicator(
    name="eom",
    params=Eom,
    kernel=eom,
    formula="Arms' ease of movement, as ta EaseOfMovementIndicator",
    outputs=(
        Output(
            stem="eom",
            arguments=(),
            unit="price^2 per share x 1e8",
            scale="own",
            bars=lambda _params: 2,
            memory=lambda _params: window(2),
            ta={(): "volume_em"},
        ),
        Output(
            stem="eom_sma",
            arguments=("window",),
            unit="price^2 per share x 1e8",
            scale="own",
            bars=lambda params: params.window + 1,
            memory=lambda params: window(params.window + 1),
            ta={(14,): "volume_sma_em"},
        ),
    ),
)
