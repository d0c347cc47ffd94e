"""Bars before: (symbols, bars) arrays come in, and are set beside what they were some bars ago."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from scanner.bars.block import FloatArray

T = TypeVar("T", bound=np.generic)


def shift(x: FloatArray, lag: int) -> FloatArray:
    """Return `x` as it was `lag` bars ago, NaN before there was such a bar."""
    out = np.empty_like(x)
    out[:, :lag] = np.nan
    out[:, lag:] = until(x, lag)
    return out


def change(x: FloatArray, lag: int) -> FloatArray:
    """Return `x` less what it was `lag` bars ago."""
    return lagged(np.subtract, x, x, lag)


def growth(x: FloatArray, lag: int) -> FloatArray:
    """Return `x` over what it was `lag` bars ago, less 1."""
    out = lagged(np.divide, x, x, lag)
    out -= 1.0
    return out


def lagged(operation: np.ufunc, x: FloatArray, y: FloatArray, lag: int) -> FloatArray:
    """Return `operation` of `x` and `y` as it was `lag` bars ago, NaN before there was one."""
    out = np.empty_like(x)
    out[:, :lag] = np.nan
    operation(x[:, lag:], until(y, lag), out=out[:, lag:])
    return out


def until(x: npt.NDArray[T], lag: int) -> npt.NDArray[T]:
    """Return all bars of `x` but the last `lag`: those that stand `lag` bars before another."""
    return x[:, : max(x.shape[1] - lag, 0)]
