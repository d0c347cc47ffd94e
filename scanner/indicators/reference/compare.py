"""One column by three engines: a symbol's bars come in, values, differences and a verdict go out.

The kernels' numbers are held against those of `ta` over the whole series, and shown beside
TA-Lib's. What differs is either a listed deviation, or a mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from scanner.bars.block import BarBlock, BoolArray, FloatArray
from scanner.indicators.compute import compute
from scanner.indicators.deviations import DEVIATIONS
from scanner.indicators.indicator import Column
from scanner.indicators.reference import oracle
from scanner.indicators.reference.ta_lib import ta_lib
from scanner.indicators.registry import column

#: Allowed difference, relative to the value or to the scale of its column.
TOLERANCE: Final = 1e-9


def scale_of(column: Column, close: FloatArray, expected: FloatArray) -> FloatArray:
    """Return what an error of `column` is measured against, for each bar of one symbol."""
    known = np.abs(expected[~np.isnan(expected)])
    own = known.max(initial=0.0)
    chosen = {"price": close, "oscillator": 100.0, "ratio": 1.0, "own": own}[column.scale]
    return np.broadcast_to(np.asarray(chosen, dtype=np.float64), close.shape)


def differs(
    column: Column, close: FloatArray, actual: FloatArray, expected: FloatArray
) -> BoolArray:
    """Return where `actual` is not `expected` within TOLERANCE; NaN equals NaN only."""
    allowed = TOLERANCE * np.fmax(np.abs(expected), scale_of(column, close, expected))
    same = np.abs(actual - expected) <= allowed
    return ~(same | (np.isnan(actual) & np.isnan(expected)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What three engines say of one column of one symbol."""

    column: Column
    #: (bars,) each; NaN before the column's first bar. None: the engine has no such column.
    kernels: FloatArray
    ta: FloatArray
    ta_lib: FloatArray | None
    #: Largest difference from `ta` over the series, relative to value or scale, and its bar.
    worst: float
    worst_bar: int
    #: `equal` within TOLERANCE, `listed` as a deviation, or `differs`.
    state: Literal["equal", "listed", "differs"]


def verify(block: BarBlock, names: Sequence[str]) -> list[Verdict]:
    """Return the verdict on each of `names` for the one symbol of `block`."""
    columns = [column(name) for name in names]
    ours = compute(block, names)
    values = block.values[:, 0]
    theirs = oracle(values, columns)
    return [_verdict(one, values, ours[one.name][0], theirs) for one in columns]


def _verdict(
    one: Column, values: FloatArray, ours: FloatArray, theirs: Mapping[str, FloatArray]
) -> Verdict:
    expected = theirs[one.name].copy()
    expected[: one.bars - 1] = np.nan
    close = values[3]
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.abs(ours - expected) / np.fmax(np.abs(expected), scale_of(one, close, expected))
        different = differs(one, close, ours, expected)
    gap[np.isnan(gap)] = 0.0
    gap[different & (np.isnan(ours) | ~np.isfinite(expected))] = np.inf
    bar = int(np.argmax(gap)) if gap.size else 0
    listed = one.stem in DEVIATIONS
    return Verdict(
        column=one,
        kernels=ours,
        ta=expected,
        ta_lib=ta_lib(values, one),
        worst=float(gap[bar]) if gap.size else 0.0,
        worst_bar=bar,
        state="equal" if not different.any() else "listed" if listed else "differs",
    )
