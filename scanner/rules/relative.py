"""A symbol against a benchmark: closes and sessions come in, relative numbers go out.

Both are looked at in the symbol's own sessions: where the benchmark has no bar, its close is NaN.
Arrays are (symbols, bars); each result has `bars` fewer than its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from scanner.bars.block import BarSeries, FloatArray, IntArray
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
    _, both, theirs = _moments(close, benchmark, bars)
    return both / theirs


def corr(close: FloatArray, benchmark: FloatArray, bars: int) -> FloatArray:
    """Return the correlation of both's last `bars` returns, -1 to 1."""
    ours, both, theirs = _moments(close, benchmark, bars)
    # Where one does not vary there is no answer, which the limits would make one.
    return np.clip(finite(both / np.sqrt(ours * theirs)), -1.0, 1.0)


#: Function -> what computes it.
RELATIVE: Final[Mapping[str, Callable[[FloatArray, FloatArray, int], FloatArray]]] = {
    "rs": rs,
    "beta": beta,
    "corr": corr,
}


#: Deviation of equal returns from their mean, relative to it, that is rounding.
_ROUNDING: Final = 1e-12


def _moments(
    close: FloatArray, benchmark: FloatArray, bars: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the sums of squares and of products of returns around their means, in two passes."""
    ours, theirs = (x[:, 1:] / x[:, :-1] - 1.0 for x in (close, benchmark))
    width = ours.shape[1] - bars + 1
    windows = [slice(place, place + width) for place in range(bars)]
    # A return that either lacks is none of both: neither sum may rest on it.
    ours = ours + 0.0 * theirs
    theirs = theirs + 0.0 * ours
    means = [sum(x[:, window] for window in windows) / bars for x in (ours, theirs)]
    sums = np.zeros((3, ours.shape[0], width))
    for window in windows:
        a, b = ours[:, window] - means[0], theirs[:, window] - means[1]
        sums += np.stack([a * a, a * b, b * b])
    for place, mean in ((0, means[0]), (2, means[1])):
        # Returns that are equal but for their rounding have no variance.
        sums[place][sums[place] <= bars * (mean * _ROUNDING) ** 2] = 0.0
    return sums[0], sums[1], sums[2]
