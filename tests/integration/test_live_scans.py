"""Live scans one after the other: each asks for one snapshot, and for that of its own session."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest
from market_days import EDT, asked, market_of, runtime_of, scanned
from scan_builders import LAST, REQUEST

from scanner.bars.market_day import MarketDay
from scanner.errors import ConfigError, ProviderUnavailable
from scanner.timeframe import day_date, day_number
from scheduler.live import still_open
from scheduler.market import window_of

NOON = dt.datetime(2025, 7, 9, 12, tzinfo=EDT)
TODAY = day_number(NOON.date())


@pytest.fixture
def market():
    """Return a market whose session is open."""
    return market_of(clock=NOON)


def live(queue, monkeypatch, runtime):
    """Scan once, live."""
    return scanned(queue, monkeypatch, runtime, live=True)


def test_each_of_a_series_asks_for_one_snapshot(queue, monkeypatch, market):
    """The first asks when it is planned, the others while they are."""
    runtime = runtime_of(queue, market)
    report = live(queue, monkeypatch, runtime)
    assert asked(market).count("2025-07-09") == 1
    for minute in (1, 2):
        market.clock = NOON + dt.timedelta(minutes=minute)
        report = live(queue, monkeypatch, runtime)
        assert report.ledger == {"scored": 12}
        assert {ranked.row.session for ranked in report.rows} == {TODAY}
        assert asked(market) == ["2025-07-09"]


def test_a_snapshot_that_was_asked_early_holds_what_was_traded_by_then(queue, monkeypatch, market):
    """Not what an earlier scan has kept."""
    runtime = runtime_of(queue, market)
    before = live(queue, monkeypatch, runtime).find("S04").row
    values = market.answers["S04"].values
    values[1:4, market.answers["S04"].sessions == TODAY] *= 1.5
    after = live(queue, monkeypatch, runtime).find("S04").row
    assert before.session == after.session == TODAY
    assert before.values != after.values


def test_an_early_snapshot_of_another_session_is_not_used(queue, monkeypatch, market):
    """The mark of yesterday's last scan may still be there in the morning.

    By symbol, because a scan that waits for sessions does not ask early.
    """
    runtime = runtime_of(queue, market, fetch="symbols")
    live(queue, monkeypatch, runtime)
    market.clock, market.calls = NOON + dt.timedelta(days=1), []
    report = live(queue, monkeypatch, runtime)
    assert {ranked.row.session for ranked in report.rows} == {LAST + 1}
    assert "2025-07-10" in market.calls


def test_after_the_close_a_live_scan_is_refused(queue, monkeypatch, market):
    """Also if the one before it was a minute ago."""
    runtime = runtime_of(queue, market)
    live(queue, monkeypatch, runtime)
    market.clock = NOON.replace(hour=16, minute=1)
    report = live(queue, monkeypatch, runtime)
    assert report.state == "failed"
    assert "no session is open" in report.facts.message


def test_a_session_that_closes_while_a_scan_waits_is_told(queue, market):
    """Its last bars would pass for forming ones."""
    runtime = runtime_of(queue, market)
    window = window_of(runtime, NOON, day_date(TODAY - 1), 14)
    request = dataclasses.replace(REQUEST, live=TODAY)
    assert still_open(runtime, request, window) == NOON
    market.clock = NOON.replace(hour=16, minute=1)
    with pytest.raises(ConfigError, match="the session 2025-07-09 has closed meanwhile"):
        still_open(runtime, request, window)


def test_a_snapshot_without_a_bar_is_no_market(queue, monkeypatch, market):
    """In the first minutes of a session: all rows would be of the day before."""
    none = MarketDay(session=TODAY, symbols=(), values=np.empty((5, 0)))
    monkeypatch.setattr(market, "snapshot", lambda _session: none)
    report = live(queue, monkeypatch, runtime_of(queue, market))
    assert (report.state, report.facts.message) == (
        "failed",
        "the snapshot holds no bar yet: try again after the open",
    )


def test_a_snapshot_that_fails_fails_its_scan_alone(queue, monkeypatch, market):
    """Whether it was asked early or not; the next one asks again."""
    runtime = runtime_of(queue, market)
    live(queue, monkeypatch, runtime)
    market.answers["2025-07-09"] = ProviderUnavailable("snapshot: no answer in time")
    report = live(queue, monkeypatch, runtime)
    assert (report.state, report.facts.message) == ("failed", "snapshot: no answer in time")
    del market.answers["2025-07-09"]
    assert live(queue, monkeypatch, runtime).ledger == {"scored": 12}
