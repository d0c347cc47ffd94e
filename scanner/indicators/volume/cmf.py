"""Chaikin money flow: prices and volumes in, the share of volume near the high out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.loops import rolling_sum
from scanner.indicators.memory import window
from scanner.indicators.prices import close_location


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmf:
    """Parameters of the Chaikin money flow."""

    #: Bars of the sums.
    window: int = 20


def cmf(block: BarBlock, params: Cmf) -> tuple[FloatArray, ...]:
    """Return the sum of volume times where the close lies in its bar / the sum of volume.

    From -1 to 1. Formula: Chaikin, as `ta` ChaikinMoneyFlowIndicator; a bar without a range adds
    no flow. Warm-up: `window` bars. Flat prices: 0. No volume in all of the window: NaN.
    """
    flow = close_location(block)
    flow *= block.volume
    out = rolling_sum(flow, params.window)
    out /= rolling_sum(block.volume, params.window)
    return (out,)


CMF: Final = Indicator(
    name="cmf",
    params=Cmf,
    kernel=cmf,
    formula="Chaikin's money flow, as ta ChaikinMoneyFlowIndicator",
    outputs=(
        Output(
            stem="cmf",
            arguments=("window",),
            unit="ratio -1-1",
            scale="ratio",
            bars=lambda params: params.window,
            memory=lambda params: window(params.window),
            ta={(20,): "volume_cmf"},
        ),
    ),
)
