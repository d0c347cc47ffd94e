"""The `ta` engine: a BarBlock and column names come in, what `ta` makes of each symbol goes out.

The oracle of the kernels' tests, and an engine of its own for those who want to see both. Where
`ta` has no such indicator, the formula is written in pandas. One symbol at a time, and slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from scanner.bars.block import FIELDS, BarBlock, FloatArray
from scanner.indicators.indicator import Column
from scanner.indicators.reference import momentum, others, patterns, trend, volatility, volume
from scanner.indicators.reference.frames import Formula, Outputs
from scanner.indicators.registry import column

#: Indicator -> what makes its outputs.
_FORMULAS: Final[dict[str, Formula]] = {
    **trend.FORMULAS,
    **momentum.FORMULAS,
    **volatility.FORMULAS,
    **volume.FORMULAS,
    **others.FORMULAS,
    **patterns.FORMULAS,
}


#: Indicators that `ta` does not have.
_BY_PANDAS: Final = frozenset(
    {"distance_sma", "momentum", "realized_volatility", "relative_volume", "dollar_volume"}
    | {"distance_high", "distance_low", "return"}
)


class TaEngine:
    """Computes one symbol at a time with `ta` and pandas."""

    name = "ta"

    def compute(self, block: BarBlock, columns: Sequence[str]) -> dict[str, FloatArray]:
        """Return a (symbols, bars) array for each of `columns`, NaN in the registry's warm-up.

        ConfigError: a name is not a column.
        """
        wanted = [column(name) for name in columns]
        out = {one.name: np.full_like(block.close, np.nan) for one in wanted}
        bars = np.stack([getattr(block, field) for field in FIELDS])
        width = block.close.shape[1]
        for row, count in enumerate(block.counts.tolist()):
            if not count:
                continue
            start = width - count
            series = oracle(bars[:, row, start:], wanted)
            for one in wanted:
                first = one.bars - 1
                out[one.name][row, start + first :] = series[one.name][first:]
        return out


def oracle(values: FloatArray, columns: Sequence[Column]) -> dict[str, FloatArray]:
    """Return what `ta` or pandas makes of one symbol's bars, its warm-up as it is.

    `values`: (5, bars) in the order of FIELDS, without NaN. All NaN where a series is too short
    for `ta`, which raises IndexError or ValueError there.
    """
    frame = pd.DataFrame(dict(zip(FIELDS, values, strict=True)))
    runs: dict[tuple[str, Any], Outputs] = {}
    for one in columns:
        key = (one.indicator.name, one.params)
        if key not in runs:
            runs[key] = _FORMULAS[one.indicator.name](frame, one.params)
    return {
        one.name: np.asarray(runs[one.indicator.name, one.params][one.output], dtype=np.float64)
        for one in columns
    }


def oracle_of(column: Column) -> str:
    """Return what the oracle of `column` is: `ta`, `pandas` or `TA-Lib`."""
    name = column.indicator.name
    if name in patterns.FORMULAS:
        return "TA-Lib"
    return "pandas" if name in _BY_PANDAS else "ta"
