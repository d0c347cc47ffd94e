"""Rate of change: closes in, their change over some bars in percent out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import growth
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Roc:
    """Parameters of the rate of change."""

    #: Bars between the two closes.
    window: int = 12


def roc(block: BarBlock, params: Roc) -> tuple[FloatArray, ...]:
    """Return 100 * (close / close `window` bars ago - 1), in percent.

    Formula: relative change, as `ta` ROCIndicator. Warm-up: `window` + 1 bars. Flat prices: 0.
    """
    out = growth(block.close, params.window)
    out *= 100.0
    return (out,)


ROC: Final = Indicator(
    name="roc",
    params=Roc,
    kernel=roc,
    formula="relative change in percent, as ta ROCIndicator",
    outputs=(
        Output(
            stem="roc",
            arguments=("window",),
            unit="percent",
            scale="oscillator",
            bars=lambda params: params.window + 1,
            memory=lambda params: window(params.window + 1),
            ta={(12,): "momentum_roc"},
        ),
    ),
)
