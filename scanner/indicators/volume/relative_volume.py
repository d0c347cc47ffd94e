"""Relative volume: volumes in, each as a multiple of its recent mean out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_mean
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeVolume:
    """Parameters of the relative volume."""

    #: Bars of the mean, the bar itself among them.
    window: int = 20


def relative_volume(block: BarBlock, params: RelativeVolume) -> tuple[FloatArray, ...]:
    """Return volume / mean volume of `window` bars, the bar itself included, as a ratio.

    Formula: volume / sma(volume); it cannot exceed `window`. Warm-up: `window` bars. No volume
    in all of the window: NaN.
    """
    return (block.volume / rolling_mean(block.volume, params.window),)


RELATIVE_VOLUME: Final = Indicator(
    name="relative_volume",
    params=RelativeVolume,
    kernel=relative_volume,
    formula="volume / its mean, the bar itself included",
    outputs=(
        Output(
            stem="relative_volume",
            arguments=("window",),
            unit="ratio",
            scale="ratio",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
        ),
    ),
)
