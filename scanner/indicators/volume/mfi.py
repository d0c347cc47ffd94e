"""Money flow index: prices and volumes in, the share of rising money flow out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import shift
from scanner.indicators.loops import rolling_sum
from scanner.indicators.memory import window
from scanner.indicators.prices import typical_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Mfi:
    """Parameters of the money flow index."""

    #: Bars of the sums.
    window: int = 14


def mfi(block: BarBlock, params: Mfi) -> tuple[FloatArray, ...]:
    """Return 100 * rising / (rising + falling) money flow, from 0 to 100.

    The flow of a bar is typical price * volume; it counts as rising or falling with the typical
    price, and the first bar as neither. Formula: Quong and Soudack (1989), as `ta` MFIIndicator.
    Warm-up: `window` bars. Flat prices or no volume: NaN.
    """
    typical = typical_price(block)
    previous = shift(typical, 1)
    flow = typical * block.volume
    rising = rolling_sum(flow * (typical > previous), params.window)
    flow *= typical < previous
    out = rising + rolling_sum(flow, params.window)
    np.divide(rising, out, out=out)
    out *= 100.0
    return (out,)


MFI: Final = Indicator(
    name="mfi",
    params=Mfi,
    kernel=mfi,
    formula="Quong and Soudack's money flow index (1989), as ta MFIIndicator",
    outputs=(
        Output(
            stem="mfi",
            arguments=("window",),
            unit="percent 0-100",
            scale="oscillator",
            bars=lambda params: max(params.window, 2),
            memory=lambda params: window(params.window + 1),
            ta={(14,): "volume_mfi"},
        ),
    ),
)
