"""Rows about the whole market: what is no bar, no symbol or no split costs nobody else's."""

from __future__ import annotations

import datetime as dt
import math
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scan_builders import AS_OF, LAST

from scanner.bars.adjust import Split
from scanner.bars.polygon_market import listed_of, market_day_of, snapshot_of, splits_of
from scanner.bars.universe import Listed, check_universe, selected
from scanner.errors import ConfigError, ProviderUnavailable
from scanner.timeframe import day_number

GOOD = {"o": 1.0, "h": 3, "l": 1, "c": 2.0, "v": 5}


def day_of(*rows):
    """Return symbol -> its numbers in a session of these rows."""
    day = market_day_of(LAST, list(rows))
    assert day.session == LAST
    return dict(zip(day.symbols, day.values.T.tolist(), strict=True))


def test_rows_keep_their_symbols_as_they_are_written():
    """Case and dots matter; numbers are the provider's."""
    found = day_of({"T": "KIMpL", **GOOD}, {"T": "BRK.B", **GOOD, "v": 1.437085e06})
    assert found == {"KIMpL": [1, 3, 1, 2, 5], "BRK.B": [1, 3, 1, 2, 1437085]}


@pytest.mark.parametrize("row", [None, 7, "AAA", {}, {"T": None, **GOOD}, {"T": 5, **GOOD}])
def test_what_is_no_row_is_left_out(row):
    """The others are read."""
    assert set(day_of(row, {"T": "AAA", **GOOD})) == {"AAA"}


@pytest.mark.parametrize("name", ["", "A B", "A\x00", "A/B", "../A", "A" * 30, "A\nB"])
def test_what_is_no_symbol_is_left_out(name):
    """It would reach keys, paths and URLs."""
    assert set(day_of({"T": name, **GOOD}, {"T": "AAA", **GOOD})) == {"AAA"}


@pytest.mark.parametrize("value", [None, "2.0", True, [2.0], {}])
def test_what_is_no_number_becomes_none(value):
    """Its symbol's series tells it; the other symbols have theirs."""
    found = day_of({"T": "BAD", **GOOD, "c": value}, {"T": "AAA", **GOOD})
    assert math.isnan(found["BAD"][3])
    assert found["AAA"] == [1, 3, 1, 2, 5]
    missing = {name: number for name, number in GOOD.items() if name != "v"}
    found = day_of({"T": "BAD", **missing}, {"T": "AAA", **GOOD})
    assert (math.isnan(found["BAD"][4]), found["AAA"][4]) == (True, 5)


def test_of_two_bars_of_a_symbol_neither_is_believed():
    """Unless they are the same."""
    twice = [{"T": "AAA", **GOOD}, {"T": "BBB", **GOOD}, {"T": "AAA", **GOOD}]
    assert day_of(*twice)["AAA"] == [1, 3, 1, 2, 5]
    found = day_of(*twice, {"T": "AAA", **GOOD, "c": 2.5})
    assert np.isnan(found["AAA"]).all()
    assert found["BBB"] == [1, 3, 1, 2, 5]


def test_a_session_may_be_empty():
    """Nothing was traded."""
    day = market_day_of(LAST, [])
    assert (day.symbols, day.values.shape) == ((), (5, 0))


def test_a_snapshot_holds_what_has_traded_today():
    """Before the open a day is empty or all zeros."""
    zeros = dict.fromkeys(GOOD, 0)
    rows = [
        {"ticker": "AAA", "day": GOOD, "prevDay": GOOD},
        {"ticker": "BBB", "day": zeros},
        {"ticker": "CCC", "day": {}},
        {"ticker": "DDD"},
        {"ticker": "EEE", "day": None},
        7,
    ]
    day = snapshot_of(LAST, rows)
    assert (day.session, day.symbols) == (LAST, ("AAA",))


def test_splits_without_symbol_or_date_are_left_out():
    """What is no ratio is kept for its symbol's own judgement."""
    good = {"ticker": "AAA", "execution_date": str(AS_OF), "split_from": 1, "split_to": 4}
    rows = [
        good,
        good | {"ticker": None},
        good | {"ticker": "A B"},
        good | {"execution_date": "soon"},
        good | {"execution_date": 20250709},
        "AAA",
    ]
    assert splits_of(rows) == [Split(symbol="AAA", session=LAST, before=1.0, after=4.0)]
    (odd,) = splits_of([good | {"split_to": "4"}])
    assert not odd.is_sound


def test_a_listing_tells_what_it_has():
    """A row without a ticker stops it: others may be missing too."""
    row = {"ticker": "AAA", "type": "CS", "primary_exchange": "XNAS", "name": ""}
    assert listed_of(row, "listing").texts == {"type": "CS", "exchange": "XNAS"}
    with pytest.raises(ProviderUnavailable, match="rows with a ticker"):
        listed_of({"type": "CS"}, "listing")


def test_a_universe_is_chosen_by_name_type_or_exchange():
    """In the order of the listing."""
    listing = [
        Listed(symbol="A", texts={"type": "CS", "exchange": "XNYS"}),
        Listed(symbol="B", texts={"type": "ETF", "exchange": "ARCX"}),
        Listed(symbol="C", texts={"type": "ADRC", "exchange": "XNYS"}),
        Listed(symbol="D", texts={}),
    ]
    assert selected(listing, "all") == ["A", "B", "C", "D"]
    assert selected(listing, "common") == ["A"]
    assert selected(listing, "type:ETF,ADRC") == ["B", "C"]
    assert selected(listing, "exchange:XNYS") == ["A", "C"]


@pytest.mark.parametrize("name", ["", "sp500", "type:", "type:cs", "sector:A", "type:CS,"])
def test_other_names_are_no_universe(name):
    """The message says which there are."""
    with pytest.raises(ConfigError, match="type:ETF"):
        check_universe(name)


def test_a_snapshot_row_of_an_earlier_day_is_left_out():
    """A provider that has not seen today shows yesterday's bar."""
    day = {"o": 1, "h": 1, "l": 1, "c": 1, "v": 1}
    noon = dt.datetime(2025, 7, 9, 12, tzinfo=ZoneInfo("America/New_York")).timestamp() * 1e9
    rows = [
        {"ticker": "OLD", "updated": noon - 86_400e9, "day": day},
        {"ticker": "NEW", "updated": noon, "day": day},
        {"ticker": "NONE", "day": day},
        {"ticker": "ZERO", "updated": 0, "day": day},
    ]
    assert snapshot_of(day_number(dt.date(2025, 7, 9)), rows).symbols == ("NEW", "NONE", "ZERO")
