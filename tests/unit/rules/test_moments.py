"""Moments of windows against sums that are written out, in exact arithmetic where it matters."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from scanner.rules import moments
from scanner.rules.moments import comoments
from scanner.rules.temporal import slope


def exact(x: list[float], y: list[float]) -> float:
    """Return the sum of products around the means, computed without rounding."""
    ours, theirs = [[Fraction(one) for one in values] for values in (x, y)]
    mean_x, mean_y = sum(ours) / len(ours), sum(theirs) / len(theirs)
    return float(sum((a - mean_x) * (b - mean_y) for a, b in zip(ours, theirs, strict=True)))


@pytest.mark.parametrize("bars", [1, 2, 3, 7, 8, 13, 60])
def test_each_window_is_that_of_its_own_values(bars: int) -> None:
    x, y = np.random.default_rng(bars).normal(50.0, 1.0, (2, 3, 60))
    found = comoments(x, y, bars)
    assert found.shape == (3, 61 - bars)
    for symbol in range(3):
        for place in range(61 - bars):
            window = slice(place, place + bars)
            expected = exact(x[symbol, window].tolist(), y[symbol, window].tolist())
            assert found[symbol, place] == pytest.approx(expected, rel=1e-10, abs=1e-11)


def test_a_wild_value_leaves_nothing_behind() -> None:
    x = np.random.default_rng(2).normal(0.0, 1e-6, (1, 200))
    x[0, 50] = 1e9
    quiet = comoments(x, x, 20)[:, 51:]
    assert np.array_equal(quiet, comoments(x[:, 51:], x[:, 51:], 20))


def test_a_missing_value_costs_the_windows_that_hold_it() -> None:
    x = np.arange(20.0)[np.newaxis].copy()
    x[0, 9] = np.nan
    found = np.isnan(comoments(x, x, 5)[0])
    assert np.flatnonzero(found).tolist() == [5, 6, 7, 8, 9]


def test_a_flat_series_has_no_slope_at_all() -> None:
    assert not slope(np.full((2, 300), 3.3), 250).any()


def test_long_windows_need_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    merged = []
    windows = moments._Windows
    merge = windows.before

    def counted(self: object, later: object) -> object:
        merged.append(later)
        return merge(self, later)

    monkeypatch.setattr(windows, "before", counted)
    comoments(np.ones((1, 1_000)), np.ones((1, 1_000)), 999)
    assert len(merged) <= 2 * 10
