"""Momentum of the past year without its last month: closes in, their ratio less 1 out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import shift
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Momentum:
    """Parameters of the momentum."""

    #: Bars back to the older close.
    window: int = 252
    #: Bars back to the newer close.
    skip: int = 21


def momentum(block: BarBlock, params: Momentum) -> tuple[FloatArray, ...]:
    """Return close `skip` bars ago / close `window` bars ago - 1, as a ratio.

    Formula: Jegadeesh and Titman (1993), twelve months without the last. Warm-up: the longer
    lag + 1 bars. Flat prices: 0.
    """
    out = shift(block.close, params.skip)
    out /= shift(block.close, params.window)
    out -= 1.0
    return (out,)


def _bars(params: Momentum) -> int:
    return max(params.window, params.skip) + 1


MOMENTUM: Final = Indicator(
    name="momentum",
    params=Momentum,
    kernel=momentum,
    formula="Jegadeesh and Titman (1993), twelve months without the last",
    outputs=(
        Output(
            stem="momentum",
            arguments=("window", "skip"),
            unit="ratio",
            scale="ratio",
            bars=_bars,
            memory=lambda params: window(_bars(params)),
        ),
    ),
)
