"""A symbol against a benchmark: closes and sessions come in, relative numbers go out.

Both are looked at in the symbol's own sessions: where the benchmark has no bar, its close is NaN.
Arrays are (symbols, bars); each result has `bars` fewer than its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from scanner.bars.block import BarSeries, FloatArray, IntArray
from scanner.rules.moments import comoments
from scanner.rules.scope import finite


def aligned(series: BarSeries, sessions: IntArray) -> FloatArray:
    """Return the closes of `series` in `sessions`, (symbols, bars), NaN where it has none."""
    if not len(series):
        return np.full(sessions.shape, np.nan)
    places = np.minimum(np.searchsorted(series.sessions, sessions), len(series) - 1)
    return np.where(series.sessions[places] == sessions, series.values[3][places], np.nan)


def rs(close: FloatArray, benchmark: FloatArray, bars: int) -> FloatArray:
    """Return by how many percent the symbol gained on the benchmark over `bars` bars."""
    ratio = close / benchmark
    return 100.0 * (ratio[:, bars:] / ratio[:, :-bars] - 1.0)


def beta(close: FloatArray, benchmark: FloatArray, bars: int) -> FloatArray:
    """Return the slope of the symbol's returns over the benchmark's, of the last `bars` ones."""
    ours, theirs = _returns(close, benchmark)
    return comoments(ours, theirs, bars) / _variation(theirs, bars)


def corr(close: FloatArray, benchmark: FloatArray, bars: int) -> FloatArray:
    """Return the correlation of both's last `bars` returns, -1 to 1."""
    ours, theirs = _returns(close, benchmark)
    both = comoments(ours, theirs, bars)
    # Where one does not vary there is no answer, which the limits would make one.
    varied = np.sqrt(_variation(ours, bars) * _variation(theirs, bars))
    return np.clip(finite(both / varied), -1.0, 1.0)


#: Function -> what computes it.
RELATIVE: Final[Mapping[str, Callable[[FloatArray, FloatArray, int], FloatArray]]] = {
    "rs": rs,
    "beta": beta,
    "corr": corr,
}


#: Deviation of equal returns from their mean, relative to it, that is rounding.
_ROUNDING: Final = 1e-12


def _returns(close: FloatArray, benchmark: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both's returns; one that either lacks is none of both."""
    ours, theirs = (x[:, 1:] / x[:, :-1] - 1.0 for x in (close, benchmark))
    return ours + 0.0 * theirs, theirs + 0.0 * ours


def _variation(returns: FloatArray, bars: int) -> FloatArray:
    """Return the sums of squares of each `bars` returns around their mean."""
    squares = comoments(returns, returns, bars)
    # Returns that are equal but for their rounding have no variance.
    rounding = bars * (returns[:, bars - 1 :] * _ROUNDING) ** 2
    squares[squares <= rounding] = 0.0
    return squares
