"""Series from two ways: where they part, and which symbols are looked at."""

from __future__ import annotations

import dataclasses

import numpy as np
from scan_builders import LAST, series

from scanner.bars.overlap import first_difference, sample_of


def test_equal_series_do_not_differ():
    """Nor do those that differ by rounding, or in volumes alone."""
    one = series(bars=30)
    values = one.values * np.array([[1.0], [1.001], [1.0], [0.999], [9.0]])
    assert first_difference(one, one) is None
    assert first_difference(one, dataclasses.replace(one, values=values)) is None


def test_a_split_that_one_of_them_lacks_is_found_at_its_first_bar():
    """Whichever of them lacks it."""
    one = series(bars=30)
    values = one.values.copy()
    values[:4, :20] *= 0.8
    other = dataclasses.replace(one, values=values)
    assert first_difference(one, other) == first_difference(other, one) == LAST - 29


def test_a_session_of_one_of_them_is_a_difference():
    """A bar is missing, or too much."""
    one = series(bars=30)
    shorter = one.between(LAST - 29, LAST - 1)
    assert first_difference(one, shorter) == first_difference(shorter, one) == LAST
    assert first_difference(shorter.between(0, 0), shorter.between(0, 0)) is None


def test_a_sample_is_of_the_day_and_begins_with_the_suspicious():
    """As many as asked for, as far as there are so many."""
    symbols = [f"S{number}" for number in range(50)]
    found = sample_of(symbols, ["S9", "GONE"], "2025-07-09", 5)
    assert (found[0], len(set(found)), set(found) <= set(symbols)) == ("S9", 5, True)
    assert found == sample_of(symbols[::-1], ["S9", "GONE"], "2025-07-09", 5)
    assert found != sample_of(symbols, ["S9", "GONE"], "2025-07-10", 5)
    assert sorted(sample_of(["B", "A"], [], "x", 5)) == ["A", "B"]
    assert sample_of(symbols, symbols, "x", 3) == symbols[:3]
