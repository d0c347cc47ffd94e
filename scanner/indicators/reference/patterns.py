"""The indicators of `patterns` by TA-Lib's abstract functions: a frame in, series out.

Warm-up is NaN, for as many bars as TA-Lib itself says; it writes 0 there.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Final

import numpy as np
import pandas as pd

from scanner.indicators.patterns.catalogue import PATTERNS
from scanner.indicators.patterns.recognition import library
from scanner.indicators.reference.frames import Formula, Outputs


def _pattern(function: str, frame: pd.DataFrame, params: Any) -> Outputs:
    abstract = library("talib.abstract").Function(function)
    prices = {name: frame[name].to_numpy() for name in ("open", "high", "low", "close")}
    chosen = {name: float(number) for name, number in dataclasses.asdict(params).items()}
    signal = abstract(prices, **chosen).astype(np.float64)
    signal[: abstract.lookback] = np.nan
    return (pd.Series(signal, index=frame.index),)


#: Indicator -> what makes its outputs.
FORMULAS: Final[dict[str, Formula]] = {
    name: functools.partial(_pattern, pattern.function) for name, pattern in PATTERNS.items()
}
