"""Moments of rolling windows: two arrays come in, sums of products around the means go out.

A window is merged from windows of half its length, each with its means, so that nothing is ever
taken from a running total: a wild bar leaves no rounding behind once it has left the window, and
the work grows with the logarithm of the window's length. `indicators/window.py` does the same for
the variance of one array, with less work and the shape kept.

Merging two sets of values: Chan, Golub & LeVeque, "Updating Formulae and a Pairwise Algorithm for
Computing Sample Variances", 1979.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from scanner.bars.block import FloatArray


@dataclass(frozen=True, slots=True)
class _Windows:
    """All windows of `bars` values, the first one at the first value."""

    bars: int
    mean_x: FloatArray
    mean_y: FloatArray
    #: Sum of (x - mean x) * (y - mean y).
    products: FloatArray

    def before(self, later: _Windows) -> _Windows:
        """Return the windows made of one of these and the one of `later` that follows it."""
        bars = self.bars + later.bars
        width = self.products.shape[1] - later.bars
        here, there = slice(0, width), slice(self.bars, self.bars + width)
        dx = later.mean_x[:, there] - self.mean_x[:, here]
        dy = later.mean_y[:, there] - self.mean_y[:, here]
        share = later.bars / bars
        return _Windows(
            bars,
            self.mean_x[:, here] + dx * share,
            self.mean_y[:, here] + dy * share,
            self.products[:, here] + later.products[:, there] + dx * dy * (self.bars * share),
        )


def comoments(x: FloatArray, y: FloatArray, bars: int) -> FloatArray:
    """Return the sums of (x - mean x) * (y - mean y) of each `bars` values, NaN if one is.

    x, y: (symbols, values), or y one row for all; the result has `bars` - 1 values fewer.
    """
    windows = _Windows(1, x, y, 0.0 * (x + y))
    parts = [windows] if bars & 1 else []
    while 2 * windows.bars <= bars:
        windows = windows.before(windows)
        if bars & windows.bars:
            parts.append(windows)
    return functools.reduce(_Windows.before, parts).products
