"""Dollar volume: closes and volumes in, the mean value of a session's trading out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_mean
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class DollarVolume:
    """Parameters of the dollar volume."""

    #: Bars of the mean.
    window: int = 20


def dollar_volume(block: BarBlock, params: DollarVolume) -> tuple[FloatArray, ...]:
    """Return the mean of close * volume over `window` bars, in the listing's currency.

    Formula: arithmetic mean. Warm-up: `window` bars. Flat prices: price * mean volume.
    """
    return (rolling_mean(block.close * block.volume, params.window),)


DOLLAR_VOLUME: Final = Indicator(
    name="dollar_volume",
    params=DollarVolume,
    kernel=dollar_volume,
    formula="mean of close * volume",
    outputs=(
        Output(
            stem="dollar_volume",
            arguments=("window",),
            unit="currency",
            scale="own",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
        ),
    ),
)
