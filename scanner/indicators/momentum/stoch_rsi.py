"""Stochastic RSI: closes in, the place of their RSI in its own range out."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock
from scanner.indicators.indicator import Indicator, Made, Output
from scanner.indicators.loops import rolling_max, rolling_mean, rolling_min
from scanner.indicators.memory import Memory, decaying, wilder_decay
from scanner.indicators.momentum.rsi import Rsi, rsi


@dataclass(frozen=True, slots=True, kw_only=True)
class StochRsi:
    """Parameters of the stochastic RSI."""

    #: Bars of the RSI's smoothing, and of its range.
    window: int = 14
    #: Bars of the mean K.
    smooth_k: int = 3
    #: Bars of the mean D of K.
    smooth_d: int = 3


def stoch_rsi(block: BarBlock, params: StochRsi) -> tuple[Made, ...]:
    """Return the RSI's place in its range, its mean K and the mean D of K, each 0 to 1.

    Formula: Chande and Kroll (1994), as `ta` StochRSIIndicator. Warm-up: 2 `window` - 1 bars,
    `smooth_k` - 1 more for K, `smooth_d` - 1 more for D. Flat prices: NaN, since an RSI between
    bars without a move stands still but for its rounding.
    """
    (index,) = rsi(block, Rsi(window=params.window))
    lowest = rolling_min(index, params.window)
    span = rolling_max(index, params.window) - lowest
    highest_close, lowest_close = (
        rolling(block.close, params.window) for rolling in (rolling_max, rolling_min)
    )
    np.copyto(span, np.nan, where=(span == 0.0) | (highest_close == lowest_close))
    index -= lowest
    index /= span
    k = rolling_mean(index, params.smooth_k)
    return index, k, functools.partial(rolling_mean, k, params.smooth_d)


def _bars(params: StochRsi) -> int:
    return 2 * params.window - 1


def _output(
    part: str, arguments: tuple[str, ...], usual: tuple[int, ...], extra: tuple[str, ...]
) -> Output[StochRsi]:
    def more(params: StochRsi) -> int:
        return sum(getattr(params, name) - 1 for name in extra)

    def memory(params: StochRsi) -> Memory:
        after = params.window + more(params)
        return decaying(wilder_decay(params.window), after=after)

    return Output(
        stem=f"stoch_rsi{part}",
        arguments=arguments,
        unit="ratio 0-1",
        scale="ratio",
        bars=lambda params: _bars(params) + more(params),
        memory=memory,
        ta={usual: f"momentum_stoch_rsi{part}"},
    )


_K: Final = ("smooth_k",)
_D: Final = ("smooth_k", "smooth_d")

STOCH_RSI: Final = Indicator(
    name="stoch_rsi",
    params=StochRsi,
    kernel=stoch_rsi,
    formula="Chande and Kroll's stochastic RSI (1994), as ta StochRSIIndicator",
    outputs=(
        _output("", ("window",), (14,), ()),
        _output("_k", ("window", *_K), (14, 3), _K),
        _output("_d", ("window", *_D), (14, 3, 3), _D),
    ),
)
