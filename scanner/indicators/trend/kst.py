"""Know sure thing: closes in, a weighted sum of four smoothed changes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import growth
from scanner.indicators.loops import rolling_mean
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Kst:
    """Parameters of the know sure thing."""

    #: Bars of the four rates of change.
    roc_a: int = 10
    roc_b: int = 15
    roc_c: int = 20
    roc_d: int = 30
    #: Bars of their means.
    mean_a: int = 10
    mean_b: int = 10
    mean_c: int = 10
    mean_d: int = 15
    #: Bars of the signal line's mean.
    signal: int = 9


def kst(block: BarBlock, params: Kst) -> tuple[FloatArray, ...]:
    """Return the sum of the smoothed changes weighted 1 to 4, its mean and their gap, in percent.

    Formula: Pring (1992), as `ta` KSTIndicator without its look-ahead. Warm-up: the longest of
    change and mean together, and `signal` - 1 bars more for the others. Flat prices: 0.
    """
    line = np.zeros_like(block.close)
    for weight, (lag, bars) in enumerate(_pairs(params), start=1):
        part = rolling_mean(growth(block.close, lag), bars)
        part *= 100.0 * weight
        line += part
    signal = rolling_mean(line, params.signal)
    return line, signal, line - signal


def _pairs(params: Kst) -> tuple[tuple[int, int], ...]:
    return (
        (params.roc_a, params.mean_a),
        (params.roc_b, params.mean_b),
        (params.roc_c, params.mean_c),
        (params.roc_d, params.mean_d),
    )


def _line_bars(params: Kst) -> int:
    return max(lag + bars for lag, bars in _pairs(params))


def _signal_bars(params: Kst) -> int:
    return _line_bars(params) + params.signal - 1


_LINE: Final = ("roc_a", "roc_b", "roc_c", "roc_d", "mean_a", "mean_b", "mean_c", "mean_d")
_USUAL: Final = (10, 15, 20, 30, 10, 10, 10, 15)

KST: Final = Indicator(
    name="kst",
    params=Kst,
    kernel=kst,
    formula="Pring's know sure thing (1992), as ta KSTIndicator without its look-ahead",
    outputs=(
        Output(
            stem="kst",
            arguments=_LINE,
            unit="percent",
            scale="oscillator",
            bars=_line_bars,
            memory=lambda params: window(_line_bars(params)),
            ta={_USUAL: "trend_kst"},
        ),
        Output(
            stem="kst_signal",
            arguments=(*_LINE, "signal"),
            unit="percent",
            scale="oscillator",
            bars=_signal_bars,
            memory=lambda params: window(_signal_bars(params)),
            ta={(*_USUAL, 9): "trend_kst_sig"},
        ),
        Output(
            stem="kst_diff",
            arguments=(*_LINE, "signal"),
            unit="percent",
            scale="oscillator",
            bars=_signal_bars,
            memory=lambda params: window(_signal_bars(params)),
            ta={(*_USUAL, 9): "trend_kst_diff"},
        ),
    ),
)
