"""Splits: what they do to a series, and which are believed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scan_builders import LAST, series

from scanner.bars.adjust import Split, adjusted, contradictory, distinct


def split(session, before=1.0, after=4.0, symbol="AAA"):
    """Return a split of 4 for 1 where nothing else is said."""
    return Split(symbol=symbol, session=session, before=before, after=after)


def test_prices_before_a_split_are_divided_and_volumes_multiplied():
    """From its execution date on nothing changes."""
    whole = series(bars=10)
    found = adjusted(whole, [split(LAST - 3)], LAST)
    assert np.allclose(found.values[:4, :6], whole.values[:4, :6] / 4, rtol=1e-15)
    assert np.allclose(found.values[4, :6], whole.values[4, :6] * 4, rtol=1e-15)
    assert np.array_equal(found.values[:, 6:], whole.values[:, 6:])
    assert np.array_equal(found.sessions, whole.sessions)


@pytest.mark.parametrize(("before", "after"), [(1.0, 3.0), (2.0, 3.0), (7.0, 1.0), (1.0, 10.0)])
def test_prices_that_were_decimals_are_decimals_again(before, after):
    """What was traded before a split is its adjusted price times the ratio, rounded to a double."""
    whole = series(bars=200)
    cents = np.round(whole.values * 100.0) / 100.0
    factors = np.where(whole.sessions < LAST, after / before, 1.0)
    raw = np.concatenate([cents[:4] * factors, cents[4:] / factors])
    traded = dataclasses.replace(whole, values=raw)
    found = adjusted(traded, [split(LAST, before, after)], LAST)
    assert np.array_equal(found.values, cents)


def test_several_splits_multiply():
    """A reverse one among them."""
    whole = series(bars=10)
    splits = [split(LAST - 6, 1.0, 2.0), split(LAST - 2, 10.0, 1.0)]
    factors = adjusted(whole, splits, LAST).values[3] / whole.values[3]
    assert np.allclose(factors, [5.0] * 3 + [10.0] * 4 + [1.0] * 3)


def test_a_split_that_is_not_executed_yet_changes_nothing():
    """Nor one before the first bar; the series itself comes back."""
    whole = series(bars=10)
    assert adjusted(whole, [split(LAST + 1)], LAST) is whole
    assert adjusted(whole, [split(LAST - 9)], LAST) is whole
    assert adjusted(whole, [split(LAST + 1)], LAST + 1) is not whole


def test_repeated_splits_count_once():
    """Providers list a split again under another id."""
    assert distinct([split(5), split(3), split(5)]) == [split(3), split(5)]
    assert len(distinct([split(5, 1.0, 4.0), split(5, 2.0, 8.0)])) == 1


@pytest.mark.parametrize(
    ("before", "after"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 2.0), (math.nan, 1.0), (1.0, 1e300)]
)
def test_what_cannot_be_a_split_is_left_out(before, after):
    """Its symbol keeps its bars as they were traded."""
    assert distinct([split(3, before, after)]) == []


def test_splits_that_cannot_all_be_true_contradict_each_other():
    """Two ratios of one day, or one ratio on two days of a week: which is right is not known."""
    assert contradictory([split(3), split(3, 1.0, 2.0)])
    assert contradictory([split(4), split(3)])
    assert contradictory([split(3), split(10)])
    assert not contradictory([split(3), split(11)])
    assert not contradictory([split(3), split(4, 1.0, 2.0)])
