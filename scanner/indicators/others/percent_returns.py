"""Returns in percent: closes in, their change from bar to bar and since the first out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import change, growth
from scanner.indicators.memory import CUMULATIVE, Memory, window


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentReturn:
    """The returns in percent have no parameters."""


def daily_return(block: BarBlock, _params: PercentReturn) -> tuple[FloatArray, ...]:
    """Return 100 * (close / close before - 1), in percent.

    Formula: as `ta` DailyReturnIndicator. Warm-up: 2 bars. Flat prices: 0.
    """
    out = growth(block.close, 1)
    out *= 100.0
    return (out,)


def daily_log_return(block: BarBlock, _params: PercentReturn) -> tuple[FloatArray, ...]:
    """Return 100 * log(close / close before), in percent.

    Formula: as `ta` DailyLogReturnIndicator. Warm-up: 2 bars. Flat prices: 0.
    """
    out = change(np.log(block.close), 1)
    out *= 100.0
    return (out,)


def cumulative_return(block: BarBlock, _params: PercentReturn) -> tuple[FloatArray, ...]:
    """Return 100 * (close / first close of the lookback - 1), in percent.

    Formula: as `ta` CumulativeReturnIndicator. The level depends on where the history starts;
    only its changes mean something. Warm-up: 1 bar. Flat prices: 0.
    """
    symbols, bars = block.close.shape
    if not bars:
        return (block.close.copy(order="K"),)
    first = np.minimum(bars - block.counts, bars - 1)
    out = block.close / block.close[np.arange(symbols), first][:, np.newaxis]
    out -= 1.0
    out *= 100.0
    return (out,)


def _indicator(
    name: str,
    kernel: Callable[[BarBlock, PercentReturn], tuple[FloatArray, ...]],
    formula: str,
    memory: Memory,
    ta: str,
) -> Indicator[PercentReturn]:
    return Indicator(
        name=name,
        params=PercentReturn,
        kernel=kernel,
        formula=formula,
        outputs=(
            Output(
                stem=name,
                arguments=(),
                unit="percent",
                scale="oscillator",
                bars=lambda _params: memory.bars or 1,
                memory=lambda _params: memory,
                ta={(): ta},
            ),
        ),
    )


DAILY_RETURN: Final = _indicator(
    "daily_return",
    daily_return,
    "relative change in percent, as ta DailyReturnIndicator",
    window(2),
    "others_dr",
)

DAILY_LOG_RETURN: Final = _indicator(
    "daily_log_return",
    daily_log_return,
    "change of the logarithm in percent, as ta DailyLogReturnIndicator",
    window(2),
    "others_dlr",
)

CUMULATIVE_RETURN: Final = _indicator(
    "cumulative_return",
    cumulative_return,
    "change since the first bar in percent, as ta CumulativeReturnIndicator",
    CUMULATIVE,
    "others_cr",
)
