"""Bollinger bands: closes in, the bands, their width and the close's place between them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock
from scanner.indicators.indicator import Indicator, Made
from scanner.indicators.memory import window
from scanner.indicators.volatility.channel import bands, channel_outputs
from scanner.indicators.window import rolling_variance


@dataclass(frozen=True, slots=True, kw_only=True)
class Bbands:
    """Parameters of the Bollinger bands."""

    #: Bars of the mean and of the standard deviation.
    window: int = 20
    #: Standard deviations from the middle to each band.
    deviations: float = 2.0


def bbands(block: BarBlock, params: Bbands) -> tuple[Made, ...]:
    """Return the parts of the channel of mean close and `deviations` standard deviations.

    Formula: Bollinger with the standard deviation of the population, as `ta` BollingerBands.
    Warm-up: `window` bars. Flat prices: all bands on the price, width 0, place NaN, flags 0.
    """
    middle, half = rolling_variance(block.close, params.window)
    np.sqrt(half, out=half)
    half *= params.deviations
    return bands(block.close, middle, half)


BBANDS: Final = Indicator(
    name="bbands",
    params=Bbands,
    kernel=bbands,
    formula="Bollinger's bands, population deviation, as ta BollingerBands",
    least=2,
    outputs=channel_outputs(
        "bbands",
        ("window", "deviations"),
        bars=lambda params: params.window,
        memory=lambda params: window(params.window),
        ta={(20, 2): "volatility_bb"},
    ),
)
