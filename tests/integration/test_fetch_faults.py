"""Sessions that do not come: what is asked for again, and what ends a scan."""

from __future__ import annotations

import datetime as dt
from importlib import import_module

import pytest
from market_days import EDT, asked, market_of, runtime_of, scanned, work
from runtime_builders import messages
from scan_builders import LAST

from scanner import keys
from scanner.errors import (
    ConfigError,
    KeyRefused,
    NotEntitled,
    ProviderUnavailable,
    RateLimited,
)
from scheduler.dispatch import start_scan
from scheduler.fetch import most_came
from scheduler.planned import plan_scan
from scheduler.reconcile import reconcile
from scheduler.request import request_scan, spec_of
from worker.finish import finish


def test_a_session_that_cannot_be_had_now_is_asked_for_again(queue, monkeypatch):
    """In the reconciler's next round; the sessions that came are kept."""
    market = market_of()
    market.answers["2025-07-02"] = ProviderUnavailable("session 2025-07-02: down")
    runtime = runtime_of(queue, market)
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    start_scan(runtime, scan_id, ask_again=False)
    assert messages(queue, "scan") == []
    del market.answers["2025-07-02"]
    market.calls = []
    reconcile(runtime)
    work(queue, monkeypatch, runtime)
    assert asked(market) == ["2025-07-02"]
    start_scan(runtime, scan_id, ask_again=False)
    work(queue, monkeypatch, runtime)
    finish(runtime, scan_id)
    assert runtime.reports.load(scan_id).ledger == {"scored": 12}


def test_a_few_sessions_that_did_not_come_are_asked_for_at_once(queue, monkeypatch):
    """Not by the reconciler, which comes later; where most are missing, it is left to that."""
    market = market_of()
    runtime = runtime_of(queue, market)
    days = ["2025-07-01", "2025-07-02"]
    market.answers |= {day: ProviderUnavailable(f"session {day}: down") for day in days}
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    assert not most_came(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    market.calls = []
    assert most_came(runtime, scan_id)
    monkeypatch.setattr("worker.runtime.current", lambda: runtime)
    import_module("scheduler.tasks").sessions_fetched.run(scan_id)
    work(queue, monkeypatch, runtime)
    assert asked(market) == days[::-1]
    assert not most_came(runtime, scan_id)


def test_a_scan_that_cannot_get_a_session_fails_and_says_which(queue, monkeypatch):
    """After some rounds without any; rows over a hole would be wrong."""
    market = market_of()
    market.answers["2025-07-02"] = ProviderUnavailable("session 2025-07-02: down")
    runtime = runtime_of(queue, market)
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    for _ in range(6):
        work(queue, monkeypatch, runtime)
        start_scan(runtime, scan_id, ask_again=False)
        reconcile(runtime)
    report = runtime.reports.load(scan_id)
    assert report.state == "failed"
    assert "the market lacks the session 2025-07-02:" in report.facts.message
    assert "2025-07-02: down" in report.facts.message
    assert report.facts.notes == ()


def test_a_session_that_the_plan_does_not_include_fails_at_once(queue, monkeypatch):
    """Asking again would give the same."""
    market = market_of()
    market.answers["2025-06-25"] = NotEntitled("session 2025-06-25: your plan begins later")
    runtime = runtime_of(queue, market)
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    start_scan(runtime, scan_id, ask_again=False)
    assert "your plan begins later" in runtime.reports.load(scan_id).facts.message


def test_without_splits_no_series_is_put_together(queue, monkeypatch):
    """Prices before a split would be wrong; splits that are known already do for a day more."""
    market = market_of()
    runtime = runtime_of(queue, market)

    def refused(first, last):
        raise NotEntitled(f"splits: not in your plan from {first} to {last}")

    monkeypatch.setattr(market, "splits", refused)
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    start_scan(runtime, scan_id, ask_again=False)
    message = runtime.reports.load(scan_id).facts.message
    assert "lacks splits: splits: not in your plan" in message
    yesterday = market.clock.timestamp() - 86_400
    runtime.store.keep_splits([], LAST - 60, asked_at=yesterday, expiry=1_000)
    assert scanned(queue, monkeypatch, runtime).ledger == {"scored": 12}


def test_a_refused_key_stops_the_scan(queue, monkeypatch):
    """At the first answer."""
    market = market_of()
    market.answers["2025-07-09"] = KeyRefused("the provider refused the key")
    runtime = runtime_of(queue, market)
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    finish(runtime, scan_id)
    report = runtime.reports.load(scan_id)
    assert (report.state, report.facts.message) == ("failed", "the provider refused the key")
    assert len(asked(market)) == 1


def test_what_is_only_due_again_does_not_hold_up_a_scan(queue, monkeypatch):
    """The copy that was final yesterday does as well."""
    market = market_of()
    runtime = runtime_of(queue, market)
    scanned(queue, monkeypatch, runtime)
    market.clock = dt.datetime(2025, 7, 10, 9, tzinfo=EDT)
    market.answers["2025-07-08"] = ProviderUnavailable("session 2025-07-08: down")
    assert scanned(queue, monkeypatch, runtime).ledger == {"scored": 12}


def test_a_batch_whose_sessions_have_gone_waits_for_another_round(queue, monkeypatch):
    """Its symbols have no final record, so that the scan does not pass them over."""
    market = market_of()
    runtime = runtime_of(queue, market)
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    start_scan(runtime, scan_id, ask_again=False)
    queue.delete(keys.day("test-1", "2025-07-01"))
    batches = [arguments for name, arguments in messages(queue, "scan") if name == "scan_symbols"]
    assert batches
    work(queue, monkeypatch, runtime)
    progress = runtime.state.progress(scan_id)
    assert (progress.recorded, progress.waiting) == (0, 12)


def test_an_empty_answer_about_the_last_session_is_asked_for_again(queue, monkeypatch):
    """It is not published yet; the scan says so if it does not come."""
    market = market_of()
    bars = dict(market.answers)
    market.answers = {symbol: one.between(0, LAST - 1) for symbol, one in bars.items()}
    runtime = runtime_of(queue, market)
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    start_scan(runtime, scan_id, ask_again=False)
    assert runtime.store.facts([LAST]) == {}
    market.answers, market.calls = bars, []
    reconcile(runtime)
    work(queue, monkeypatch, runtime)
    assert asked(market) == ["2025-07-09"]
    start_scan(runtime, scan_id, ask_again=False)
    work(queue, monkeypatch, runtime)
    finish(runtime, scan_id)
    assert runtime.reports.load(scan_id).ledger == {"scored": 12}


def test_waiting_for_the_budget_is_no_idle_round(queue, monkeypatch):
    """The deadline bounds it; a provider that is down ends it sooner."""
    market = market_of()
    market.answers["2025-07-02"] = RateLimited("in a minute", wait=60.0)
    runtime = runtime_of(queue, market)
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    for _ in range(8):
        work(queue, monkeypatch, runtime)
        start_scan(runtime, scan_id, ask_again=False)
        reconcile(runtime)
    assert runtime.state.progress(scan_id).state == "planned"


def test_a_refusal_is_of_the_session_that_was_asked_for(queue, monkeypatch):
    """A copy that is only due does as well, whatever was refused; another one is asked again."""
    market = market_of()
    runtime = runtime_of(queue, market)
    scanned(queue, monkeypatch, runtime)
    market.clock += dt.timedelta(days=1)
    market.answers["2025-07-09"] = NotEntitled("session 2025-07-09: not in your plan")
    market.answers["2025-07-10"] = ProviderUnavailable("session 2025-07-10: down")
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    start_scan(runtime, scan_id, ask_again=False)
    assert runtime.state.progress(scan_id).state == "planned"
    del market.answers["2025-07-10"]
    reconcile(runtime)
    work(queue, monkeypatch, runtime)
    start_scan(runtime, scan_id, ask_again=False)
    work(queue, monkeypatch, runtime)
    finish(runtime, scan_id)
    assert runtime.reports.load(scan_id).ledger == {"scored": 12}


def test_a_day_that_is_no_session_is_refused(queue):
    """Before anything is asked for."""
    runtime = runtime_of(queue, market_of())
    with pytest.raises(ConfigError, match="the one before is 2025-07-03"):
        plan_scan(runtime, spec_of(runtime, as_of=dt.date(2025, 7, 4)))


def test_a_copy_that_could_not_be_renewed_is_said_in_the_report(queue, monkeypatch):
    """The scan goes on with what is kept; the note is gone when the copy has come."""
    market = market_of()
    runtime = runtime_of(queue, market)
    assert scanned(queue, monkeypatch, runtime).facts.notes == ()
    market.clock += dt.timedelta(days=1)
    market.answers["2025-07-09"] = ProviderUnavailable("session 2025-07-09: down")
    report = scanned(queue, monkeypatch, runtime)
    assert report.ledger == {"scored": 12}
    (note,) = report.facts.notes
    assert note == (
        "the session 2025-07-09 could not be fetched again, what was kept is used: "
        "session 2025-07-09: down"
    )
    del market.answers["2025-07-09"]
    assert scanned(queue, monkeypatch, runtime).facts.notes == ()


def test_a_last_session_that_was_none_leaves_no_symbol_stale(queue, monkeypatch):
    """A day of mourning, for example, that no calendar knew: days later it is believed."""
    market = market_of(clock=dt.datetime(2025, 7, 12, 12, tzinfo=EDT))
    market.answers = {s: one.between(0, LAST) for s, one in market.answers.items()}
    runtime = runtime_of(queue, market)
    report = scanned(queue, monkeypatch, runtime)
    assert report.state == "failed"
    market.clock = dt.datetime(2025, 7, 14, 9, tzinfo=EDT)
    report = scanned(queue, monkeypatch, runtime)
    assert report.ledger == {"scored": 12}
    assert report.facts.as_of == dt.date(2025, 7, 9)
    (note,) = report.facts.notes
    assert note == (
        "the provider has no bars of 2025-07-10, 2025-07-11: taken for no session; a file of "
        "SCANNER_CLOSURES may say so"
    )
