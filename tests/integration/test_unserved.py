"""Providers that have no sessions of the whole market, or no splits: `auto` goes by symbol then."""

from __future__ import annotations

import pytest
from market_days import asked, market_of, runtime_of, scanned, work

from scanner.errors import NotEntitled, UnknownSymbol
from scheduler.dispatch import start_scan
from scheduler.request import request_scan, spec_of
from worker.finish import finish


def refuse(market, error):
    """Let a market refuse every session."""
    days = [f"2025-{month:02}-{day:02}" for month in (6, 7) for day in range(1, 31)]
    market.answers |= {day: error(f"session {day}: refused") for day in days}


def without_splits(market, monkeypatch):
    """Let a market refuse to list splits."""

    def refused(_first, _last):
        raise UnknownSymbol("splits: refused")

    monkeypatch.setattr(market, "splits", refused)


@pytest.mark.parametrize("error", [NotEntitled, UnknownSymbol])
def test_sessions_that_are_refused_are_no_hole_in_a_scan_that_may_choose(queue, monkeypatch, error):
    """Its bars come by symbol; it says so, and asks for no more than some sessions."""
    market = market_of()
    refuse(market, error)
    report = scanned(queue, monkeypatch, runtime_of(queue, market, fetch="auto"))
    assert report.ledger == {"scored": 12}
    assert len(asked(market)) == 5
    (note,) = report.facts.notes
    assert note.startswith("bars were fetched by symbol: the market lacks 2025-07-0")
    assert note.endswith(": refused")


def test_splits_that_are_refused_are_in_the_bars_by_symbol(queue, monkeypatch):
    """The provider adjusts them."""
    market = market_of()
    without_splits(market, monkeypatch)
    report = scanned(queue, monkeypatch, runtime_of(queue, market, fetch="auto"))
    assert report.ledger == {"scored": 12}
    assert report.facts.notes == (
        "bars were fetched by symbol: the market lacks splits: splits: refused",
    )


def test_a_scan_that_has_to_go_by_session_says_how_to_go_on(queue, monkeypatch):
    """It was told to."""
    market = market_of()
    refuse(market, NotEntitled)
    report = scanned(queue, monkeypatch, runtime_of(queue, market))
    assert report.state == "failed"
    assert report.facts.message.endswith(": refused; `--fetch symbols` does without")
    assert len(asked(market)) == 5


def test_a_detour_that_would_take_too_long_is_not_taken(queue, monkeypatch):
    """Twelve symbols at four an hour."""
    market = market_of()
    refuse(market, NotEntitled)
    runtime = runtime_of(queue, market, fetch="auto", rate="4/hour")
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    start_scan(runtime, scan_id, ask_again=False)
    finish(runtime, scan_id)
    report = runtime.reports.load(scan_id)
    assert report.state == "failed"
    assert "refused; `--fetch symbols` does without" in report.facts.message


def test_a_newest_session_that_is_refused_is_none_to_leave_the_others_for(queue, monkeypatch):
    """As by a plan that gives a day's bars on the next morning only."""
    market = market_of()
    market.answers["2025-07-09"] = NotEntitled("session 2025-07-09: not before the end of the day")
    report = scanned(queue, monkeypatch, runtime_of(queue, market, fetch="auto"))
    assert report.state == "failed"
    assert "not before the end of the day" in report.facts.message
    assert len(asked(market)) == 10
