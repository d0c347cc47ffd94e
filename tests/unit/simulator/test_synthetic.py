"""The made-up market: repeatable, independent of its size, and plausible."""

from __future__ import annotations

import datetime as dt

import exchange_calendars
import numpy as np
import pytest

from simulator.sessions import all_sessions, date_of, day_at, day_of, milliseconds
from simulator.synthetic import SyntheticMarket, symbol_names

LAST = dt.date(2025, 7, 9)


def market(symbols=300, seed=7, sessions=420, last=LAST) -> SyntheticMarket:
    """Return a market with some options changed."""
    return SyntheticMarket(symbols=symbols, seed=seed, sessions=sessions, last_day=day_of(last))


def bars_of(one: SyntheticMarket, symbol: str):
    """Return the bars of a symbol up to the market's last session."""
    return one.bars(symbol, one.last_day)


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_sessions_are_those_of_new_york():
    """The list of holidays agrees with the exchange's calendar."""
    calendar = exchange_calendars.get_calendar("XNYS", start="2023-01-01", end="2026-12-31")
    expected = [session.date() for session in calendar.sessions]
    assert [date_of(int(day)) for day in all_sessions()] == expected


def test_moments_know_summer_and_winter_time():
    """Midnight in New York is 04:00 or 05:00 UTC, and its day is found again."""
    summer, winter = day_of(dt.date(2025, 7, 9)), day_of(dt.date(2025, 1, 8))
    assert milliseconds(summer, 0) == 1752033600000
    assert milliseconds(winter, 0) == 1736312400000
    assert (day_at(1752033600000), day_at(1752033599999)) == (summer, summer - 1)


def test_names_are_different_and_stay_when_the_market_grows():
    """A larger market begins with the names of a smaller one."""
    names = symbol_names(5277)
    assert len(set(names)) == 5277
    assert names[:50] == symbol_names(50)
    assert names[0] == "SPY"
    assert all(1 <= len(name) <= 5 and name.isalpha() and name.isupper() for name in names)


@pytest.mark.parametrize(
    "other",
    [{"symbols": 400}, {"sessions": 250}, {"last": dt.date(2025, 7, 8)}],
    ids=["size", "history", "last session"],
)
def test_a_bar_depends_on_seed_symbol_and_date_only(other):
    """Size and range of the market leave the common bars alone."""
    for symbol in market().symbols[::30]:
        one, two = bars_of(market(), symbol), bars_of(market(**other), symbol)
        common = np.intersect1d(one.days, two.days)
        assert common.size >= min(one.days.size, two.days.size) - 1
        first, last = int(common[0]), int(common[-1])
        assert np.array_equal(one.between(first, last).values, two.between(first, last).values)


def test_another_seed_is_another_market():
    """The seed changes the bars and leaves the names alone."""
    assert market().symbols == market(seed=8).symbols
    symbol = market().symbols[0]
    one, other = bars_of(market(), symbol), bars_of(market(seed=8), symbol)
    assert not np.array_equal(one.values, other.values)


def test_every_bar_could_be_true():
    """Prices are positive cents inside their range, volumes are whole, days increase."""
    for symbol in market().symbols:
        bars = bars_of(market(), symbol)
        start, high, low, close, volume = bars.values
        assert (low > 0).all()
        assert (high >= np.maximum(start, close)).all()
        assert (low <= np.minimum(start, close)).all()
        assert np.array_equal(bars.values[:4], np.round(bars.values[:4], 2))
        assert np.array_equal(volume, np.floor(volume))
        assert (np.diff(bars.days) > 0).all()


def test_the_market_has_its_odd_symbols():
    """Some are new, some have gaps, some stopped trading, and all types occur."""
    one = market(symbols=1500)
    every = [bars_of(one, symbol) for symbol in one.symbols]
    past = all_sessions()[all_sessions() <= one.last_day][-420:]
    sizes = np.array([bars.days.size for bars in every])
    ends = np.array([bars.days[-1] if bars.days.size else 0 for bars in every])
    starts = np.array([bars.days[0] if bars.days.size else 0 for bars in every])
    assert 0.75 < (sizes == 420).mean() < 0.95
    assert 5 < (ends < one.last_day - 10).sum() < 60
    assert 15 < (starts > past[20]).sum() < 120
    assert {one.kind(symbol) for symbol in one.symbols} == {"CS", "ETF", "ADRC"}


def test_an_unknown_symbol_has_no_bars():
    """Names that the market does not list are unknown."""
    assert bars_of(market(), "ZZZZZZ") is None


@pytest.mark.parametrize("sessions", [0, 100_000])
def test_history_is_bounded_by_the_list_of_holidays(sessions):
    """No session is made up outside of it."""
    with pytest.raises(ValueError, match="sessions"):
        market(sessions=sessions)


def test_spy_is_listed_in_a_market_of_any_size():
    """It is a fund, and its bars are the same everywhere."""
    small, large = market(symbols=1), market(symbols=5277)
    assert small.symbols == ("SPY",)
    assert large.symbols.count("SPY") == 1
    assert small.kind("SPY") == large.kind("SPY") == "ETF"
    one, other = bars_of(small, "SPY"), bars_of(large, "SPY")
    np.testing.assert_array_equal(one.values, other.values)
    assert one.days[-1] == small.last_day
