"""True strength index: closes in, the twice smoothed share of net moves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import change
from scanner.indicators.memory import Memory, decaying, span_decay
from scanner.indicators.recursive import ema_of_flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Tsi:
    """Parameters of the true strength index."""

    #: Span of the first mean of the moves, in bars.
    slow: int = 25
    #: Span of the mean of that mean, in bars.
    fast: int = 13


def tsi(block: BarBlock, params: Tsi) -> tuple[FloatArray, ...]:
    """Return 100 * ema(ema(move)) / ema(ema(|move|)), from -100 to 100.

    Formula: Blau (1991), as `ta` TSIIndicator. Warm-up: `slow` + `fast` bars. Flat prices: NaN.
    """
    moves = change(block.close, 1)
    net, gross = (
        ema_of_flow(ema_of_flow(part, params.slow), params.fast) for part in (moves, np.abs(moves))
    )
    net /= gross
    net *= 100.0
    return (net,)


def _memory(params: Tsi) -> Memory:
    return decaying(span_decay(params.slow), span_decay(params.fast), after=params.slow)


TSI: Final = Indicator(
    name="tsi",
    params=Tsi,
    kernel=tsi,
    formula="Blau's true strength index (1991), as ta TSIIndicator",
    outputs=(
        Output(
            stem="tsi",
            arguments=("slow", "fast"),
            unit="percent -100-100",
            scale="oscillator",
            bars=lambda params: params.slow + params.fast,
            memory=_memory,
            ta={(25, 13): "momentum_tsi"},
        ),
    ),
)
