"""Arithmetic of rules: numbers of (symbols, bars) come in, one array of that shape goes out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from scanner.bars.block import FloatArray


def _smallest(*numbers: FloatArray) -> FloatArray:
    return functools.reduce(np.minimum, numbers)


def _largest(*numbers: FloatArray) -> FloatArray:
    return functools.reduce(np.maximum, numbers)


def _first_known(*numbers: FloatArray) -> FloatArray:
    """Return the first of `numbers` that is not NaN."""
    found = numbers[0]
    for other in numbers[1:]:
        found = np.where(np.isnan(found), other, found)
    return found


#: Operation -> what computes it; NaN and infinities mean unknown.
ARITHMETIC: Final[Mapping[str, Callable[..., FloatArray]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "negative": np.negative,
    "abs": np.abs,
    "min": _smallest,
    "max": _largest,
    "round": np.round,
    "sqrt": np.sqrt,
    "log": np.log,
    "sign": np.sign,
    "coalesce": _first_known,
}
