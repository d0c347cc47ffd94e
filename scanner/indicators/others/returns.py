"""Return: closes in, their relative change over some bars out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import growth
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Parameters of the return."""

    #: Bars between the two closes.
    window: int = 1


def simple_return(block: BarBlock, params: Return) -> tuple[FloatArray, ...]:
    """Return close / close `window` bars ago - 1, as a ratio.

    Formula: simple return. Warm-up: `window` + 1 bars. Flat prices: 0.
    """
    return (growth(block.close, params.window),)


RETURN: Final = Indicator(
    name="return",
    params=Return,
    kernel=simple_return,
    formula="simple return, close / earlier close - 1",
    outputs=(
        Output(
            stem="return",
            arguments=("window",),
            unit="ratio",
            scale="ratio",
            bars=lambda params: params.window + 1,
            memory=lambda params: window(params.window + 1),
        ),
    ),
)
