"""Splits of the simulated market: how many, and what they do to prices and volumes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from tape_builders import market, moment, shown

from simulator.market import Split
from simulator.replay import ReplayMarket
from simulator.sessions import all_sessions, date_of, day_of
from simulator.split_pages import SplitPages
from simulator.splits import SplitBook
from simulator.tape import Tape

FEBRUARY = day_of(dt.date(2025, 2, 3))
RATIOS = {(1, 2), (1, 3), (2, 3), (1, 4), (1, 10), (1, 20), (10, 1), (20, 1)}


@pytest.fixture(scope="module")
def large():
    """A market of the default size."""
    return market(symbols=5277)


def adjusted_by_hand(days, raw, splits):
    """Return bars as traded, adjusted by the factor split_from/split_to before each split."""
    factor = np.ones(days.size)
    for split in splits:
        factor[days < split.day] *= split.split_from / split.split_to
    return np.concatenate((raw[:4] * factor, raw[4:] / factor))


def split_on(one, first, last):
    """Return the first split of a market from the day after `first` to `last`."""
    return min(
        (split for split in one.splits if first < split.day <= last), key=lambda split: split.day
    )


def test_three_of_a_hundred_symbols_split_in_the_history(large):
    """All ratios occur, SPY has none, and a split happens on a session."""
    history = [s for s in large.splits if large.sessions[0] <= s.day <= large.last_day]
    assert 0.025 < len({split.symbol for split in history}) / 5277 < 0.035
    assert {(split.split_from, split.split_to) for split in large.splits} == RATIOS
    assert len(large.splits) > len({split.symbol for split in large.splits})
    assert "SPY" not in {split.symbol for split in large.splits}
    assert {split.day for split in large.splits} <= set(all_sessions().tolist())


def test_splits_do_not_depend_on_the_size_of_the_market(large):
    """Nor on its sessions; another seed has others."""
    small = market(sessions=100, last=dt.date(2025, 3, 4))
    assert small.splits == tuple(s for s in large.splits if s.symbol in small.symbols)
    assert small.splits != market(seed=8).splits


def test_bars_as_traded_adjust_to_the_adjusted_ones(large):
    """By split_from/split_to of each split after a bar, as a client does it."""
    tape, at = Tape(large, seed=7), moment(large)
    for symbol in sorted({split.symbol for split in large.splits})[::3]:
        days, raw = shown(tape, symbol, at, adjusted=False)
        _, adjusted = shown(tape, symbol, at, adjusted=True)
        past = [s for s in large.splits if s.symbol == symbol and s.day <= at.day]
        by_hand = adjusted_by_hand(days, raw, past)
        np.testing.assert_allclose(by_hand, adjusted, rtol=1e-12)


def test_by_default_adjusted_bars_are_those_of_the_market(large):
    """To the last bit."""
    tape, at = Tape(large, seed=7), moment(large)
    for symbol in sorted({split.symbol for split in large.splits})[::5]:
        _, adjusted = shown(tape, symbol, at, adjusted=True)
        np.testing.assert_array_equal(adjusted, large.bars(symbol, at.session).values)


def test_a_split_changes_the_adjusted_past_and_not_the_traded_one(large):
    """On its day, before which it does not exist."""
    split = split_on(large, large.last_day, large.last_day + 30)
    tape = Tape(large, seed=7)
    eve = moment(large, f"{date_of(split.day - 1)}T20:00:00-04:00")
    evening = moment(large, f"{date_of(split.day)}T20:00:00-04:00")
    for adjusted, times in ((False, 1.0), (True, split.split_from / split.split_to)):
        days, before = shown(tape, split.symbol, eve, adjusted=adjusted)
        later, after = shown(tape, split.symbol, evening, adjusted=adjusted)
        np.testing.assert_array_equal(later[:-1], days)
        np.testing.assert_allclose(after[:4, :-1], before[:4] * times, rtol=1e-12)
        np.testing.assert_allclose(after[4, :-1], before[4] / times, rtol=1e-12)


def test_the_last_session_of_a_market_changes_no_traded_bar(large):
    """A market that ends later has the same bars and more; its base does not move."""
    early = market(symbols=5277, sessions=300, last=dt.date(2025, 2, 3))
    split = split_on(large, FEBRUARY, large.last_day)
    days, raw = shown(Tape(early, seed=7), split.symbol, moment(early), adjusted=False)
    more, later = shown(Tape(large, seed=7), split.symbol, moment(large), adjusted=False)
    common = np.isin(more, days)
    np.testing.assert_array_equal(later[:, common], raw)
    _, adjusted = shown(Tape(early, seed=7), split.symbol, moment(early), adjusted=True)
    past = [s for s in large.splits if s.symbol == split.symbol and s.day <= FEBRUARY]
    np.testing.assert_allclose(adjusted_by_hand(days, raw, past), adjusted, rtol=1e-12)


@pytest.mark.parametrize("adjusted", [True, False])
def test_whole_days_agree_with_ranges(adjusted):
    """For every symbol, split or not."""
    one = market(symbols=400)
    tape, at = Tape(one, seed=7), moment(one)
    day = int(one.sessions[200])
    symbols, view = tape.rows(day, at, adjusted=adjusted)
    columns = view.columns()
    assert {split.symbol for split in one.splits} & set(symbols)
    for place, symbol in enumerate(symbols):
        days, values = shown(tape, symbol, at, adjusted=adjusted)
        expected = values[:, days == day][:, 0].tolist()
        assert [columns[name][place] for name in "ohlcv"] == expected


def test_a_book_knows_what_prices_are_multiplied_by():
    """Before, between and after two splits, of which one is after the base."""
    splits = [
        Split(symbol="A", day=10, split_from=1.0, split_to=2.0),
        Split(symbol="A", day=30, split_from=1.0, split_to=4.0),
        Split(symbol="GONE", day=10, split_from=1.0, split_to=4.0),
    ]
    book = SplitBook(splits, base_day=20, symbols=("A", "B"))
    days = np.array([9, 10, 29, 30])
    assert book.scale("A", days).tolist() == [2.0, 1.0, 1.0, 0.25]
    assert book.scale("B", days).tolist() == [1.0] * 4
    assert [book.scale_of_all(day).tolist() for day in (9, 30)] == [[2.0, 1.0], [0.25, 1.0]]


def replayed(tmp_path, splits):
    """Return a replayed market of one symbol with three bars."""
    bars = tmp_path / "bars.csv"
    bars.write_text(
        "symbol,date,open,high,low,close,volume\n"
        "A,2025-07-07,1,1,1,1,100\nA,2025-07-08,2,2,2,2,100\nA,2025-07-09,3,3,3,3,100\n"
    )
    path = tmp_path / "splits.csv"
    path.write_text("ticker,execution_date,split_from,split_to\n" + splits)
    return ReplayMarket(bars, path)


def test_replayed_bars_are_taken_as_adjusted(tmp_path):
    """The prices as traded come from the splits of the file; later splits do not exist."""
    one = replayed(tmp_path, "A,2025-07-08,1,2\nA,2025-08-01,1,7\n")
    tape, at = Tape(one, seed=7), moment(one)
    assert shown(tape, "A", at, adjusted=True)[1][3:].tolist() == [[1, 2, 3], [100, 100, 100]]
    assert shown(tape, "A", at, adjusted=False)[1][3:].tolist() == [[2, 2, 3], [50, 100, 100]]
    rows = SplitPages(one, twice=False).payload({}, "", at.day)["results"]
    assert [row["execution_date"] for row in rows] == ["2025-07-08"]


@pytest.mark.parametrize("row", ["A,2025-07-08,0,2", "A,2025-07-08,1,-2", "A,2025-07-08,1,"])
def test_a_file_with_an_impossible_split_is_refused(tmp_path, row):
    """It is named with the row."""
    with pytest.raises(ValueError, match=r"splits\.csv"):
        replayed(tmp_path, row + "\n")
