"""Series and blocks: what bars are refused, and how series of different lengths are aligned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_builders import LAST, series

from scanner.bars.block import FIELDS, BarSeries, checked_series, stack
from scanner.errors import BadBars

GOOD = (10.0, 12.0, 9.0, 11.0, 1000.0)


def bars_with(place, value):
    """Return three bars, in the second of which field `place` is `value`."""
    values = np.array([GOOD] * 3).T
    values[FIELDS.index(place), 1] = value
    return values


def test_bars_in_any_order_are_sorted_by_session():
    """Each bar keeps its values."""
    values = np.array([GOOD] * 3).T * [1.0, 2.0, 3.0]
    got = checked_series("AAA", [LAST, LAST - 2, LAST - 1], values)
    assert got.sessions.tolist() == [LAST - 2, LAST - 1, LAST]
    assert got.values[0].tolist() == [20.0, 30.0, 10.0]
    assert got.sessions.dtype == np.int32


@pytest.mark.parametrize("days", [[LAST, LAST], [LAST, LAST - 1, LAST]])
def test_two_bars_of_one_session_are_refused_by_its_date(days):
    """Sorted or not."""
    with pytest.raises(BadBars, match=r"AAA.*2025-07-09"):
        checked_series("AAA", days, np.array([GOOD] * len(days)).T)


@pytest.mark.parametrize("place", FIELDS[:4])
@pytest.mark.parametrize("price", [0.0, -1.0, np.nan, np.inf, -np.inf])
def test_a_price_that_cannot_be_true_is_refused(place, price):
    """The message names the symbol and the session of the bar."""
    with pytest.raises(BadBars, match="AAA: expected positive prices on 2025-07-08"):
        checked_series("AAA", [LAST - 2, LAST - 1, LAST], bars_with(place, price))


@pytest.mark.parametrize("volume", [-1.0, np.nan, np.inf])
def test_a_volume_that_cannot_be_true_is_refused(volume):
    """Fractions are volumes, negative numbers are not."""
    with pytest.raises(BadBars, match="volume of 0 or more on 2025-07-08"):
        checked_series("AAA", [LAST - 2, LAST - 1, LAST], bars_with("volume", volume))


@pytest.mark.parametrize("volume", [0.0, 0.25])
def test_a_volume_of_nothing_or_a_fraction_is_kept(volume):
    """Back-adjusted volumes are fractional."""
    got = checked_series("AAA", [LAST - 2, LAST - 1, LAST], bars_with("volume", volume))
    assert got.values[4, 1] == volume


def test_a_high_below_the_low_is_refused():
    """Equal ones are a flat bar."""
    with pytest.raises(BadBars, match="high >= low on 2025-07-08"):
        checked_series("AAA", [LAST - 2, LAST - 1, LAST], bars_with("high", 8.99))
    flat = np.array([[5.0, 5.0, 5.0, 5.0, 1.0]]).T
    assert len(checked_series("AAA", [LAST], flat)) == 1


@pytest.mark.parametrize("shape", [(4, 3), (5, 2), (3, 5), (0, 0)])
def test_values_of_another_shape_are_refused(shape):
    """Five values for each bar."""
    with pytest.raises(BadBars, match="5 values for each of 3 bars"):
        checked_series("AAA", [1, 2, 3], np.ones(shape))


def test_no_bars_are_a_series():
    """A provider may have none."""
    assert len(checked_series("AAA", [], np.empty((5, 0)))) == 0


@given(days=st.sets(st.integers(0, 60)), first=st.integers(-5, 65), last=st.integers(-5, 65))
def test_between_keeps_the_bars_from_first_to_last_with_both(days, first, last):
    """Also where first or last is no session, and where nothing is left."""
    sessions = np.array(sorted(days), dtype=np.int32)
    values = np.ones((5, len(days))) * sessions
    got = BarSeries(symbol="AAA", sessions=sessions, values=values).between(first, last)
    expected = [day for day in sorted(days) if first <= day <= last]
    assert got.sessions.tolist() == expected
    assert got.values[2].tolist() == expected


def test_a_block_aligns_series_at_their_last_bar():
    """What a shorter series lacks is NaN and -1 at the front."""
    short, long = series("BBB", 2, seed=2), series("AAA", 5)
    block = stack([short, long])
    assert block.symbols == ("BBB", "AAA")
    assert block.counts.tolist() == [2, 5]
    assert block.sessions[0].tolist() == [-1, -1, -1, LAST - 1, LAST]
    assert np.isnan(block.values[:, 0, :3]).all()
    np.testing.assert_array_equal(block.values[:, 0, 3:], short.values)
    np.testing.assert_array_equal(block.values[:, 1], long.values)


def test_a_block_names_its_fields_in_their_order():
    """Each property is the row of its name."""
    block = stack([series()])
    for index, name in enumerate(FIELDS):
        np.testing.assert_array_equal(getattr(block, name), block.values[index])


def test_one_bar_of_all_symbols_lies_together_in_memory():
    """Kernels go along time, all symbols at once."""
    assert stack([series("AAA"), series("BBB")]).close[:, -1].flags.contiguous


def test_a_block_of_nothing_has_no_bars():
    """Shapes hold without any series."""
    assert stack([]).values.shape == (5, 0, 0)
