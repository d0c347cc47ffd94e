"""Realized volatility: daily closes in, the deviation of their log returns per year out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import change
from scanner.indicators.memory import window
from scanner.indicators.window import rolling_variance

#: Sessions of a year on US exchanges.
SESSIONS_A_YEAR: Final = 252


@dataclass(frozen=True, slots=True, kw_only=True)
class RealizedVolatility:
    """Parameters of the realized volatility."""

    #: Log returns, one less than the closes they are made of.
    window: int = 20


def realized_volatility(block: BarBlock, params: RealizedVolatility) -> tuple[FloatArray, ...]:
    """Return the sample standard deviation of log returns * sqrt(252), as a ratio per year.

    Formula: close to close, divisor `window` - 1. Warm-up: `window` + 1 bars. Flat prices: 0.
    """
    returns = change(np.log(block.close), 1)
    _, variance = rolling_variance(returns, params.window, freedom=1)
    np.sqrt(variance, out=variance)
    variance *= math.sqrt(SESSIONS_A_YEAR)
    return (variance,)


REALIZED_VOLATILITY: Final = Indicator(
    name="realized_volatility",
    params=RealizedVolatility,
    kernel=realized_volatility,
    formula="sample deviation of log returns * sqrt(252), a year of daily bars",
    least=2,
    outputs=(
        Output(
            stem="realized_volatility",
            arguments=("window",),
            unit="ratio per year",
            scale="ratio",
            bars=lambda params: params.window + 1,
            memory=lambda params: window(params.window + 1),
        ),
    ),
)
