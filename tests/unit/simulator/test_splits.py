"""Splits of the simulated market: what was traded stays, what is adjusted follows the clock."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from simulator.clocked import ClockedMarket
from simulator.sessions import EXCHANGE_ZONE, day_of
from simulator.splits import ListedSplits, SyntheticSplits
from simulator.synthetic import SyntheticMarket

ANCHOR = dt.date(2025, 7, 9)


def market_at(day, time=dt.time(16, 20), symbols=400):
    """Return the market on a day."""
    now = dt.datetime.combine(day, time, EXCHANGE_ZONE)
    whole = SyntheticMarket(symbols=symbols, seed=7, sessions=300, last_day=day_of(day))
    return ClockedMarket(whole, SyntheticSplits(seed=7, anchor=day_of(ANCHOR)), now)


def splitting(market, first, last):
    """Return the symbols that split between two days, with their splits."""
    days = range(day_of(first), day_of(last) + 1)
    found = {s: [x for x in market.splits.of(s) if x.day in days] for s in market.symbols}
    return {symbol: splits for symbol, splits in found.items() if splits}


def test_on_the_usual_day_bars_are_those_of_the_market_itself():
    """To the bit: its numbers are adjusted to that day."""
    market = market_at(ANCHOR)
    for symbol in market.symbols:
        assert np.array_equal(market.bars(symbol).values, market.market.bars(symbol).values)


@pytest.mark.parametrize("day", [dt.date(2024, 6, 3), dt.date(2025, 3, 3), dt.date(2026, 3, 2)])
def test_what_was_traded_is_the_same_on_each_day(day):
    """Whether it is asked for before, on or after the usual day."""
    early, late = market_at(day), market_at(dt.date(2026, 9, 1))
    for symbol in early.symbols:
        one, other = (market.bars(symbol, adjusted=False) for market in (early, late))
        shared = other.between(int(one.days[0]), int(one.days[-1])) if one.days.size else one
        kept = np.isin(one.days, shared.days)
        assert np.allclose(one.values[:, kept], shared.values, rtol=1e-12)


@pytest.mark.parametrize("day", [dt.date(2025, 3, 3), ANCHOR, dt.date(2026, 3, 2)])
def test_adjusting_what_was_traded_gives_the_adjusted_bars(day):
    """By split_from / split_to, for prices before the execution date."""
    market = market_at(day)
    assert splitting(market, dt.date(2023, 6, 1), day)
    for symbol, splits in splitting(market, dt.date(2023, 6, 1), day).items():
        raw, adjusted = (market.bars(symbol, adjusted=kind) for kind in (False, True))
        factors = np.ones(raw.days.size)
        for split in splits:
            factors[raw.days < split.day] *= split.before / split.after
        assert np.allclose(raw.values[:4] * factors, adjusted.values[:4], rtol=1e-12)
        assert np.allclose(raw.values[4] / factors, adjusted.values[4], rtol=1e-12)


def test_some_symbols_split_and_spy_does_not():
    """About a tenth of them in four years, forward and in reverse."""
    found = splitting(market_at(ANCHOR), dt.date(2023, 1, 1), dt.date(2026, 12, 31))
    assert 20 < len(found) < 70
    assert "SPY" not in found
    ratios = {split.before < split.after for splits in found.values() for split in splits}
    assert ratios == {True, False}


def test_a_forming_bar_ends_as_the_final_one():
    """Within its range all the while; its volume only grows."""
    before = None
    for time in (dt.time(9, 31), dt.time(11), dt.time(13), dt.time(15, 59), dt.time(16)):
        bar = market_at(ANCHOR, time).bars("SPY").values[:, -1]
        final = market_at(ANCHOR).bars("SPY").values[:, -1]
        start, high, low, close, volume = bar
        assert start == final[0]
        assert final[2] <= low <= min(start, close) <= max(start, close) <= high <= final[1]
        assert before is None or volume > before[4]
        before = bar
    assert np.array_equal(before, final)


def test_before_the_open_there_is_no_bar_of_the_day():
    """The last one is of the session before."""
    assert market_at(ANCHOR, dt.time(9, 29)).bars("SPY").days[-1] == day_of(dt.date(2025, 7, 8))


def test_listed_splits_are_read_from_a_file(tmp_path):
    """In order of their days; without a file there are none."""
    path = tmp_path / "splits.csv"
    path.write_text(
        "ticker,execution_date,split_from,split_to\nA,2025-07-01,1,4\nA,2025-01-02,10,1\n"
    )
    found = ListedSplits(path, anchor=0).of("A")
    assert [(one.before, one.after) for one in found] == [(10.0, 1.0), (1.0, 4.0)]
    assert list(ListedSplits(None, anchor=0).of("A")) == []
