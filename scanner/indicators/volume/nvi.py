"""Negative volume index: closes and volumes in, the returns of quieter bars compounded out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import growth, shift
from scanner.indicators.memory import CUMULATIVE
from scanner.indicators.missing import first_bars
from scanner.indicators.recursive import running_product

#: Where the index starts.
START: Final = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Nvi:
    """The negative volume index has no parameters."""


def nvi(block: BarBlock, _params: Nvi) -> tuple[FloatArray, ...]:
    """Return 1000 compounded by the return of each bar whose volume is below the last one's.

    Formula: Dysart and Fosback, as `ta` NegativeVolumeIndexIndicator. The level depends on where
    the history starts; only its changes mean something. Warm-up: 1 bar. Flat prices: 1000.
    """
    factors = growth(block.close, 1)
    factors *= shift(block.volume, 1) > block.volume
    factors += 1.0
    missing = np.isnan(block.close)
    np.copyto(factors, 1.0, where=missing)
    np.copyto(factors, START, where=first_bars(missing))
    total = running_product(factors)
    np.copyto(total, np.nan, where=missing)
    return (total,)


NVI: Final = Indicator(
    name="nvi",
    params=Nvi,
    kernel=nvi,
    formula="Fosback's negative volume index (1976), as ta NegativeVolumeIndexIndicator",
    outputs=(
        Output(
            stem="nvi",
            arguments=(),
            unit="index",
            scale="own",
            bars=lambda _params: 1,
            memory=lambda _params: CUMULATIVE,
            ta={(): "volume_nvi"},
        ),
    ),
)
