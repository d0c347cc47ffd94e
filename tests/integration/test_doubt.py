"""Answers about the whole market that are cut short are asked for again, and not believed."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from market_days import EDT, EVENING, asked, market_of, runtime_of, scanned
from scan_builders import LAST, ScriptedMarket, series

from scanner.bars.adjust import Split
from scanner.errors import ProviderUnavailable
from worker.doubt import believed_day, check_splits

SYMBOLS = [f"S{number:03}" for number in range(60)]
DAY = dt.date(2025, 7, 8)


@pytest.fixture
def market():
    """Return a market of sixty symbols."""
    bars = {symbol: series(symbol, 60, LAST + 20, seed=at) for at, symbol in enumerate(SYMBOLS)}
    return ScriptedMarket(bars, clock=EVENING)


@pytest.fixture
def runtime(queue, market, monkeypatch):
    """Return a runtime that has scanned the market, so that its sessions are kept."""
    runtime = runtime_of(queue, market)
    assert scanned(queue, monkeypatch, runtime).ledger == {"scored": 60}
    asked(market)
    return runtime


def cut(market, monkeypatch, *counts):
    """Let the next answers about a day have so many symbols, and then whole ones again."""
    whole, left = market.day, list(counts)

    def day(session):
        found = whole(session)
        if not left:
            return found
        count = left.pop(0)
        return dataclasses.replace(
            found, symbols=found.symbols[:count], values=found.values[:, :count]
        )

    monkeypatch.setattr(market, "day", day)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_an_answer_that_is_short_once_costs_a_second_one(runtime, market, monkeypatch, count):
    """The whole one counts."""
    cut(market, monkeypatch, count)
    assert len(believed_day(market, runtime.store, LAST, may_be_empty=True).symbols) == 60
    assert asked(market) == ["2025-07-09"] * 2


def test_a_day_that_lacks_a_few_symbols_is_taken(runtime, market, monkeypatch):
    """Not each symbol is traded on each day."""
    cut(market, monkeypatch, 50)
    assert len(believed_day(market, runtime.store, LAST, may_be_empty=False).symbols) == 50
    assert asked(market) == ["2025-07-09"]


@pytest.mark.parametrize("count", [0, 40])
def test_a_good_copy_is_never_replaced_by_a_short_one(queue, runtime, market, monkeypatch, count):
    """However old the session is: the scan goes on with what is kept, and says so."""
    market.clock += dt.timedelta(days=1)
    cut(market, monkeypatch, *[count] * 4)
    whole = market.day

    def day(session):
        if session != dt.date(2025, 7, 9):
            return ScriptedMarket.day(market, session)
        return whole(session)

    monkeypatch.setattr(market, "day", day)
    report = scanned(queue, monkeypatch, runtime)
    assert report.ledger == {"scored": 60}
    (note,) = report.facts.notes
    assert "2025-07-09 could not be fetched again, what was kept is used" in note
    assert runtime.store.facts([LAST])[LAST].symbols == 60


def test_a_short_answer_that_comes_twice_replaces_no_copy(runtime, market, monkeypatch):
    """However old its session is; the longer of the two is told."""
    cut(market, monkeypatch, 40, 40)
    with pytest.raises(ProviderUnavailable, match="bars of 40 symbols, about 60 were expected"):
        believed_day(market, runtime.store, LAST, may_be_empty=True)
    cut(market, monkeypatch, 40, 1)
    with pytest.raises(ProviderUnavailable, match="bars of 40 symbols"):
        believed_day(market, runtime.store, LAST, may_be_empty=True)


def test_a_market_of_few_symbols_may_lack_most_of_them(queue, monkeypatch):
    """Ten of any market are no sign of an answer that was cut short."""
    market = market_of()
    runtime = runtime_of(queue, market)
    assert scanned(queue, monkeypatch, runtime).ledger == {"scored": 12}
    asked(market)
    cut(market, monkeypatch, 2)
    assert len(believed_day(market, runtime.store, LAST, may_be_empty=False).symbols) == 2
    assert asked(market) == ["2025-07-09"]


def test_a_short_day_without_a_copy_is_held_to_the_sessions_around(runtime, market, monkeypatch):
    """It is believed only when it is old and comes twice."""
    runtime.redis.delete("ms1:day:test-1:2025-07-08")
    session = LAST - 1
    cut(market, monkeypatch, 20, 20)
    with pytest.raises(ProviderUnavailable, match="bars of 20 symbols, about 60 were expected"):
        believed_day(market, runtime.store, session, may_be_empty=False)
    cut(market, monkeypatch, 20, 21)
    with pytest.raises(ProviderUnavailable, match="bars of 21 symbols"):
        believed_day(market, runtime.store, session, may_be_empty=True)
    cut(market, monkeypatch, 20, 20)
    assert len(believed_day(market, runtime.store, session, may_be_empty=True).symbols) == 20


def test_an_empty_day_is_believed_when_it_is_old_and_no_symbol_was_traded(
    runtime, market, monkeypatch
):
    """Once, or twice, it may be a fault; of a recent session it is not published yet."""
    runtime.redis.delete("ms1:day:test-1:2025-07-08")
    cut(market, monkeypatch, 0)
    assert len(believed_day(market, runtime.store, LAST - 1, may_be_empty=True).symbols) == 60
    cut(market, monkeypatch, 0, 0)
    with pytest.raises(ProviderUnavailable, match="no bars of it yet"):
        believed_day(market, runtime.store, LAST - 1, may_be_empty=False)
    cut(market, monkeypatch, 0, 0)
    with pytest.raises(ProviderUnavailable, match="market is empty, but S000 has a bar"):
        believed_day(market, runtime.store, LAST - 1, may_be_empty=True)
    for symbol, one in market.answers.items():
        keep = one.sessions != LAST - 1
        market.answers[symbol] = dataclasses.replace(
            one, sessions=one.sessions[keep], values=one.values[:, keep]
        )
    assert believed_day(market, runtime.store, LAST - 1, may_be_empty=True).symbols == ()
    runtime.redis.delete(*runtime.redis.keys("ms1:day:*"))
    with pytest.raises(ProviderUnavailable, match="no session around it is kept"):
        believed_day(market, runtime.store, LAST - 1, may_be_empty=True)


def test_a_list_of_splits_that_was_cut_short_is_refused():
    """Those that are known are in its span; a few may be withdrawn."""
    known = {
        f"S{at}": [Split(symbol=f"S{at}", session=at, before=1.0, after=2.0)] for at in range(100)
    }
    every = [one for of in known.values() for one in of]
    check_splits(every, known, 0)
    check_splits(every[10:], known, 0)
    check_splits(every[60:], known, 60)
    check_splits([], {}, 0)
    with pytest.raises(ProviderUnavailable, match="lists 80 since 1970-01-01, 100 are known"):
        check_splits(every[20:], known, 0)
    with pytest.raises(ProviderUnavailable):
        check_splits([], known, 60)
    with pytest.raises(ProviderUnavailable, match="lists 50 "):
        check_splits(every[50:] * 2, known, 0)  # one that comes twice is one


def test_the_first_day_of_an_empty_store_is_taken_as_it_is(queue, market, monkeypatch):
    """There is nothing to hold it to."""
    fresh = runtime_of(queue, market)
    cut(market, monkeypatch, 20)
    assert len(believed_day(market, fresh.store, LAST, may_be_empty=False).symbols) == 20


def test_splits_are_listed_again_after_the_close(queue, monkeypatch, market):
    """One that was published during the day is in the scan of the evening."""
    market.clock = dt.datetime(2025, 7, 9, 9, tzinfo=EDT)
    morning = runtime_of(queue, market)
    scanned(queue, monkeypatch, morning)
    split = Split(symbol="S004", session=LAST, before=1.0, after=2.0)
    market.script_of_splits, market.clock, market.calls = [split], EVENING, []
    scanned(queue, monkeypatch, morning)
    assert market.calls.count("splits") == 1
    assert morning.store.splits(["S004"])["S004"] == [split]
    market.calls = []
    scanned(queue, monkeypatch, morning)
    assert "splits" not in market.calls


def test_a_live_scan_of_another_day_is_refused(queue, monkeypatch, market):
    """Today's bar would follow a hole."""
    market.clock = dt.datetime(2025, 7, 9, 12, tzinfo=EDT)
    report = scanned(queue, monkeypatch, runtime_of(queue, market), live=True, as_of=DAY)
    assert report.state == "failed"
    assert "leave out --as-of" in report.facts.message
