"""Step 6 of a scan: a BarBlock and column names come in, one array for each name goes out.

The rules read the arrays. An Engine decides how they are computed: here by the kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Made
from scanner.indicators.registry import column


class Engine(Protocol):
    """A way to compute columns."""

    @property
    def name(self) -> str:
        """What settings and reports call it."""
        ...

    def compute(self, block: BarBlock, columns: Sequence[str]) -> dict[str, FloatArray]:
        """Return a (symbols, bars) array for each of `columns`; NaN is warm-up or undefined."""
        ...


class KernelEngine:
    """Computes all symbols of a block at once."""

    name = "kernels"

    def compute(self, block: BarBlock, columns: Sequence[str]) -> dict[str, FloatArray]:
        """Return a (symbols, bars) array for each of `columns`; see `compute`."""
        return compute(block, columns)


def compute(block: BarBlock, columns: Sequence[str]) -> dict[str, FloatArray]:
    """Return a (symbols, bars) array for each of `columns`, in their order.

    NaN is warm-up, or a value that does not exist, as a place in a range of width 0. Columns of
    the same indicator and parameters share one run. ConfigError: a name is not a column.
    """
    runs: dict[tuple[str, Any], Sequence[Made]] = {}
    arrays: dict[str, FloatArray] = {}
    with np.errstate(all="ignore"):
        for one in (column(name) for name in columns):
            key = (one.indicator.name, one.params)
            if key not in runs:
                runs[key] = one.indicator.kernel(block, one.params)
            made = runs[key][one.output]
            arrays[one.name] = made() if callable(made) else made
    return arrays
