"""Bollinger bands: closes in, the bands, their width and the close's place between them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output, Scale, Unit
from scanner.indicators.window import rolling_variance


@dataclass(frozen=True, slots=True, kw_only=True)
class Bbands:
    """Parameters of the Bollinger bands."""

    #: Bars of the mean and of the standard deviation.
    window: int = 20
    #: Standard deviations from the middle to each band.
    deviations: int = 2


def bbands(block: BarBlock, params: Bbands) -> tuple[FloatArray, ...]:
    """Return upper, middle and lower in price, width in percent of the middle, and the place.

    The place is 0 at the lower band and 1 at the upper one. Formula: Bollinger with the standard
    deviation of the population, as `ta` BollingerBands. Warm-up: `window` bars. Flat prices: all
    bands on the price, width 0, place NaN.
    """
    middle, half = rolling_variance(block.close, params.window)
    np.sqrt(half, out=half)
    half *= params.deviations
    width = half / middle
    width *= 200.0
    # From the middle, not from the lower band: the rounding of the bands would add to the
    # rounding of the mean, and both weigh more the closer the bands are.
    percent = block.close - middle
    percent /= half
    percent *= 0.5
    percent += 0.5
    return middle + half, middle, middle - half, width, percent


def _output(part: str, unit: Unit, scale: Scale, ta: str) -> Output[Bbands]:
    return Output(
        stem=f"bbands_{part}",
        arguments=("window", "deviations"),
        unit=unit,
        scale=scale,
        bars=lambda params: params.window,
        ta={(20, 2): ta},
    )


BBANDS: Final = Indicator(
    name="bbands",
    params=Bbands,
    kernel=bbands,
    formula="Bollinger's bands, population deviation, as ta BollingerBands",
    least=2,
    outputs=(
        _output("upper", "price", "price", "volatility_bbh"),
        _output("middle", "price", "price", "volatility_bbm"),
        _output("lower", "price", "price", "volatility_bbl"),
        _output("width", "percent", "oscillator", "volatility_bbw"),
        _output("percent", "ratio", "ratio", "volatility_bbp"),
    ),
)
