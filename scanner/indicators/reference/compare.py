"""One column by three engines: a symbol's bars come in, values, differences and a verdict go out.

The kernels' numbers are held against those of the reference over the whole series, and shown
beside TA-Lib's. What differs is either a listed deviation, or a mistake.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.compute import compute
from scanner.indicators.deviations import Kind
from scanner.indicators.indicator import Column
from scanner.indicators.reference import oracle, oracle_of
from scanner.indicators.reference.explain import differs, scale_of, unexplained
from scanner.indicators.reference.ta_lib import ta_lib
from scanner.indicators.registry import column

State = Literal["equal", "listed", "differs", "no value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the engines say of one column of one symbol."""

    column: Column
    #: What the reference is: `ta`, `pandas` where `ta` has no such column, or `TA-Lib`.
    oracle: str
    #: (bars,) each; NaN before the column's first bar. None: the engine has no such column.
    kernels: FloatArray
    reference: FloatArray
    ta_lib: FloatArray | None
    #: Largest difference from the reference behind the warm-up, relative to value or scale, and
    #: its bar; infinite where one of them has no value.
    worst: float
    worst_bar: int
    #: Difference of the last value from TA-Lib's, relative to value or scale; infinite without.
    off: float
    #: `equal` within TOLERANCE, `listed` where it differs as a deviation says, `differs`
    #: elsewhere, `no value` where neither has one.
    state: State
    #: The deviations that were met, those of the warm-up among them.
    met: frozenset[Kind]


def verify(block: BarBlock, names: Sequence[str]) -> list[Verdict]:
    """Return the verdict on each of `names` for the one symbol of `block`."""
    columns = [column(name) for name in names]
    values = block.values[:, 0]
    ours = compute(block, names)
    with np.errstate(all="ignore"):
        theirs = oracle(values, columns)
        return [_verdict(one, values, ours[one.name][0], theirs[one.name]) for one in columns]


def _relative(
    one: Column, close: FloatArray, actual: FloatArray, expected: FloatArray
) -> FloatArray:
    """Return the difference of each bar relative to value or scale, infinite without a value."""
    gap = np.abs(actual - expected) / np.fmax(np.abs(expected), scale_of(one, close, expected))
    gap[actual == expected] = 0.0
    gap[~np.isfinite(gap)] = np.inf
    return gap


def _verdict(one: Column, values: FloatArray, ours: FloatArray, theirs: FloatArray) -> Verdict:
    left, met = unexplained(one, values, ours, theirs)
    close = values[3]
    expected = theirs.copy()
    expected[: one.bars - 1] = np.nan
    different = differs(one, close, ours, expected)
    gap = _relative(one, close, ours, expected)
    gap[~different & np.isinf(gap)] = 0.0
    bar = int(np.argmax(gap)) if gap.size else 0
    state: State = "listed" if different.any() else "equal"
    if left.any():
        state = "differs"
    elif np.isnan(ours).all() and np.isnan(expected).all():
        state = "no value"
    other = ta_lib(values, one)
    return Verdict(
        column=one,
        oracle=oracle_of(one),
        kernels=ours,
        reference=expected,
        ta_lib=other,
        worst=float(gap[bar]) if gap.size else 0.0,
        worst_bar=bar,
        off=math.inf if other is None else float(_relative(one, close, other, ours)[-1]),
        state=state,
        met=frozenset(met),
    )
