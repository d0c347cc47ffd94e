"""One symbol's bars as `ta` takes them: a frame in, its columns by name and series out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Outputs = tuple["pd.Series[float]", ...]
Formula = Callable[[pd.DataFrame, Any], Outputs]


def outputs(made: Any, *methods: str) -> Outputs:
    """Return what these methods of an indicator of `ta` give."""
    return tuple(getattr(made, method)() for method in methods)


def undefined(frame: pd.DataFrame) -> pd.Series[float]:
    """Return a series without a value."""
    return pd.Series(np.nan, index=frame.index)


def ranges(frame: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Return high and low."""
    return {name: frame[name] for name in ("high", "low")}


def prices(frame: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Return high, low and close."""
    return {name: frame[name] for name in ("high", "low", "close")}


def traded(frame: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Return high, low, close and volume."""
    return {name: frame[name] for name in ("high", "low", "close", "volume")}


def flow(frame: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Return close and volume."""
    return {name: frame[name] for name in ("close", "volume")}
