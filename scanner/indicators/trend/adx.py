"""Directional movement: highs, lows and closes in, +DI, -DI and their trend strength out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import change, shift
from scanner.indicators.memory import Memory, decaying, wilder_decay
from scanner.indicators.missing import without_warm_up
from scanner.indicators.recursive import wilder


@dataclass(frozen=True, slots=True, kw_only=True)
class Adx:
    """Parameters of the average directional index."""

    #: Bars of Wilder's smoothing.
    window: int = 14


def adx(block: BarBlock, params: Adx) -> tuple[FloatArray, ...]:
    """Return the average directional index, +DI and -DI, each 0 to 100.

    Formula: Wilder (1978), "New Concepts in Technical Trading Systems", as `ta` ADXIndicator.
    Warm-up: 2 `window` bars, and `window` + 2 for the DIs, one more than the formula asks for
    because `ta` starts there. Flat prices: 0 for all three.
    """
    rising, falling, span = movements(block)
    smooth = wilder(span, params.window)
    plus, minus = (100.0 * ratio(wilder(x, params.window), smooth) for x in (rising, falling))
    index = 100.0 * wilder(ratio(np.abs(plus - minus), plus + minus), params.window)
    missing = np.isnan(span)
    for line in (plus, minus):
        without_warm_up(line, missing, params.window + 1)
    return index, plus, minus


def movements(block: BarBlock) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return +DM, -DM and the true range of each bar in price, NaN at a symbol's first bar."""
    up = change(block.high, 1)
    down = -change(block.low, 1)
    previous = shift(block.close, 1)
    span = np.maximum(block.high, previous)
    span -= np.minimum(block.low, previous)
    rising = np.maximum(up, 0.0)
    rising *= up > down
    falling = np.maximum(down, 0.0)
    falling *= down > up
    return rising, falling, span


def ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return part / whole, 0 where the whole is 0."""
    out = part / whole
    np.copyto(out, 0.0, where=whole == 0.0)
    return out


def _line_bars(params: Adx) -> int:
    return params.window + 2


def _index_memory(params: Adx) -> Memory:
    decay = wilder_decay(params.window)
    return decaying(decay, decay, after=1)


ADX: Final = Indicator(
    name="adx",
    params=Adx,
    kernel=adx,
    formula="Wilder's directional movement (1978), as ta ADXIndicator",
    outputs=(
        Output(
            stem="adx",
            arguments=("window",),
            unit="percent 0-100",
            scale="oscillator",
            bars=lambda params: 2 * params.window,
            memory=_index_memory,
            ta={(14,): "trend_adx"},
        ),
        Output(
            stem="plus_di",
            arguments=("window",),
            unit="percent 0-100",
            scale="oscillator",
            bars=_line_bars,
            memory=lambda params: decaying(wilder_decay(params.window), after=2),
            ta={(14,): "trend_adx_pos"},
        ),
        Output(
            stem="minus_di",
            arguments=("window",),
            unit="percent 0-100",
            scale="oscillator",
            bars=_line_bars,
            memory=lambda params: decaying(wilder_decay(params.window), after=1),
            ta={(14,): "trend_adx_neg"},
        ),
    ),
)
