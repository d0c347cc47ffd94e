"""Relative strength index: closes in, the share of gains in all moves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import change
from scanner.indicators.memory import decaying, wilder_decay
from scanner.indicators.missing import without_warm_up
from scanner.indicators.recursive import mean_of_moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Rsi:
    """Parameters of the relative strength index."""

    #: Bars of Wilder's smoothing.
    window: int = 14


def rsi(block: BarBlock, params: Rsi) -> tuple[FloatArray, ...]:
    """Return 100 * gains / (gains + losses), smoothed, from 0 to 100.

    Formula: Wilder (1978) with both means seeded with 0 at the first bar, as `ta` RSIIndicator.
    Warm-up: `window` bars. Flat prices: 100, as without losses.
    """
    gains, losses = (mean_of_moves(moves, params.window) for moves in gains_and_losses(block))
    out = gains / (gains + losses)
    out *= 100.0
    np.copyto(out, 100.0, where=losses == 0.0)
    return (without_warm_up(out, np.isnan(block.close), params.window),)


def gains_and_losses(block: BarBlock) -> tuple[FloatArray, FloatArray]:
    """Return how far each close is above and below the one before, in price, 0 at the first."""
    moves = change(block.close, 1)
    return np.fmax(moves, 0.0), np.fmax(-moves, 0.0)


RSI: Final = Indicator(
    name="rsi",
    params=Rsi,
    kernel=rsi,
    formula="Wilder's relative strength index (1978), as ta RSIIndicator",
    outputs=(
        Output(
            stem="rsi",
            arguments=("window",),
            unit="percent 0-100",
            scale="oscillator",
            bars=lambda params: params.window,
            memory=lambda params: decaying(wilder_decay(params.window), after=1),
            ta={(14,): "momentum_rsi"},
        ),
    ),
)
