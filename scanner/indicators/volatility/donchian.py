"""Donchian channel: highs and lows in, their extremes and the place of the close out."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Made, Output, Scale, Unit
from scanner.indicators.lags import shift
from scanner.indicators.loops import rolling_max, rolling_mean, rolling_min
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Donchian:
    """Parameters of the Donchian channel."""

    #: Bars of the range, the bar itself among them.
    window: int = 20
    #: Bars by which the channel is drawn later: 1 leaves the bar itself out of the lines.
    offset: int = 0


def donchian(block: BarBlock, params: Donchian) -> tuple[Made, ...]:
    """Return highest high, lowest low, their middle, width and the close's place, 0 to 1.

    The width is in percent of the mean close of `window` bars. Formula: Donchian, as `ta`
    DonchianChannel, which shifts all five by `offset`. Warm-up: `window` + `offset` bars. Flat
    prices: all lines on the price, width 0, place NaN.
    """
    upper = rolling_max(block.high, params.window)
    lower = rolling_min(block.low, params.window)
    span = upper - lower
    middle = span * 0.5
    middle += lower

    def width() -> FloatArray:
        return 100.0 * span / rolling_mean(block.close, params.window)

    def percent() -> FloatArray:
        place = (block.close - lower) / span
        np.copyto(place, np.nan, where=span == 0.0)
        return place

    return tuple(
        functools.partial(_drawn, part, params.offset)
        for part in (upper, middle, lower, width, percent)
    )


def _drawn(part: Made, offset: int) -> FloatArray:
    line = part() if callable(part) else part
    return shift(line, offset) if offset else line


def _bars(params: Donchian) -> int:
    return params.window + params.offset


def _output(part: str, unit: Unit, scale: Scale, ta: str) -> Output[Donchian]:
    return Output(
        stem=f"donchian_{part}",
        arguments=("window",),
        optional=("offset",),
        unit=unit,
        scale=scale,
        bars=_bars,
        memory=lambda params: window(_bars(params)),
        ta={(20,): ta},
    )


DONCHIAN: Final = Indicator(
    name="donchian",
    params=Donchian,
    kernel=donchian,
    formula="Donchian's channel, as ta DonchianChannel",
    outputs=(
        _output("upper", "price", "price", "volatility_dch"),
        _output("middle", "price", "price", "volatility_dcm"),
        _output("lower", "price", "price", "volatility_dcl"),
        _output("width", "percent", "oscillator", "volatility_dcw"),
        _output("percent", "ratio 0-1", "ratio", "volatility_dcp"),
    ),
)
