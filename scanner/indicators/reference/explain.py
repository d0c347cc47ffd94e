"""Why two engines differ: a column by both comes in, what no listed deviation explains goes out.

Each kind of deviation explains a bar only where that bar looks as the kind says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from scanner.bars.block import BoolArray, FloatArray
from scanner.indicators.deviations import DEVIATIONS, Kind
from scanner.indicators.indicator import Column
from scanner.indicators.reference import oracle
from scanner.indicators.reference.exact import BANDS, exact_of

#: Allowed difference, relative to the value or to the scale of its column.
TOLERANCE: Final = 1e-9

#: Difference of two prices, relative to them, that is none in cents.
_ROUNDING: Final = 1e-12

#: How near a close is to a band that it is on, relative to the price.
_ON: Final = 1e-11

#: A column, (5, bars) of its symbol, and its (bars,) by the kernels and by the reference.
Explain = Callable[[Column, FloatArray, FloatArray, FloatArray], BoolArray]


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
    same: BoolArray = np.isfinite(expected) & (np.abs(actual - expected) <= allowed)
    same |= (actual == expected) | (np.isnan(actual) & np.isnan(expected))
    return ~same


def unexplained(
    column: Column, values: FloatArray, ours: FloatArray, theirs: FloatArray
) -> tuple[BoolArray, set[Kind]]:
    """Return where `ours` differs from `theirs` in no listed way, and the listed ways met.

    `values`: (5, bars) of one symbol; `ours`, `theirs`: (bars,) of `column`, the warm-up of
    `theirs` as the reference has it.
    """
    left = differs(column, values[3], ours, theirs)
    met: set[Kind] = set()
    for kind in DEVIATIONS.get(column.stem, ()):
        if not left.any():
            break
        explained = left & _EXPLAINED[kind](column, values, ours, theirs)
        if explained.any():
            met.add(kind)
        left &= ~explained
    return left, met


def _warming(
    column: Column, _values: FloatArray, ours: FloatArray, _theirs: FloatArray
) -> BoolArray:
    warming: BoolArray = np.isnan(ours) & (np.arange(len(ours)) < column.bars - 1)
    return warming


def _warming_zeros(
    column: Column, values: FloatArray, ours: FloatArray, theirs: FloatArray
) -> BoolArray:
    zeros: BoolArray = theirs == 0.0
    return zeros & _warming(column, values, ours, theirs)


def _first_closes(
    column: Column, values: FloatArray, ours: FloatArray, theirs: FloatArray
) -> BoolArray:
    closes: BoolArray = theirs == values[3]
    return closes & _warming(column, values, ours, theirs)


def _resting(
    column: Column, values: FloatArray, ours: FloatArray, _theirs: FloatArray
) -> BoolArray:
    """Return where closes, prices or ranges rest in one of the windows that a value needs."""
    high, low, close = values[1:4]
    moving = (close, high + low + close, (high > low).cumsum())
    flat = np.any([_flat(x, column.params.window) for x in moving], axis=0)
    within: BoolArray = np.convolve(flat, np.ones(column.bars))[: len(flat)] > 0
    # The bands of a mean never quite close on a resting price: there rounding shows in numbers.
    return within if column.indicator.name == "keltner_atr" else within & np.isnan(ours)


def _flat(x: FloatArray, window: int) -> BoolArray:
    flat = np.zeros(x.shape, dtype=bool)
    for bar in range(window - 1, len(x)):
        part = x[bar - window + 1 : bar + 1]
        flat[bar] = np.ptp(part) <= _ROUNDING * np.abs(part).max()
    return flat


def _exact(column: Column, values: FloatArray, ours: FloatArray, _theirs: FloatArray) -> BoolArray:
    """Return where ours is the value in extended precision."""
    exact = exact_of(column, values[3])
    if exact is None:
        return np.zeros(len(ours), dtype=bool)
    return ~differs(column, values[3], ours, exact)


def _windows_alone(
    column: Column, values: FloatArray, ours: FloatArray, theirs: FloatArray
) -> BoolArray:
    """Return where ours is what the reference says of the window's bars and no others."""
    found = np.zeros(len(ours), dtype=bool)
    for bar in np.flatnonzero(differs(column, values[3], ours, theirs)).tolist():
        known = slice(max(bar + 1 - (column.memory.bars or bar), 0), bar + 1)
        alone = oracle(values[:, known], [column])[column.name]
        found[bar] = not differs(column, values[3, known], ours[known], alone)[-1]
    return found


def _on_the_band(
    column: Column, values: FloatArray, ours: FloatArray, _theirs: FloatArray
) -> BoolArray:
    close = values[3]
    bands = BANDS[column.indicator.name](values, column.params)
    near = [np.abs(close - band) <= _ON * close for band in bands]
    inside: BoolArray = (ours == 0.0) & np.any(near, axis=0)
    return inside


def _infinite(
    column: Column, _values: FloatArray, ours: FloatArray, theirs: FloatArray
) -> BoolArray:
    if column.indicator.name in _FLOWS:
        return np.isfinite(ours) & ~np.isfinite(theirs)
    return np.isnan(ours) & ~np.isfinite(theirs)


#: Indicators in which a place in a range of width 0 adds nothing.
_FLOWS: Final = frozenset({"adi", "cmf"})


_EXPLAINED: Final[dict[Kind, Explain]] = {
    "warm-up zeros": _warming_zeros,
    "partial windows": _warming,
    "first closes": _first_closes,
    "look-ahead": _warming,
    "rolling std rounding": _exact,
    "rolling sum rounding": _windows_alone,
    "flat window": _resting,
    "on the band": _on_the_band,
    "zero denominator": _infinite,
}
