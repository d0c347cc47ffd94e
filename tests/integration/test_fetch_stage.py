"""Sessions that are fetched before a scan: what is asked for when, and what is not asked again."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading

import pytest
from market_days import EDT, EVENING, SYMBOLS, asked, market_of, runtime_of, scanned
from scan_builders import LAST

from scanner.bars.adjust import Split
from scanner.errors import BadBars, RateLimited
from scanner.timeframe import day_number
from worker.market import Wanted, keep_session


def test_the_first_scan_asks_for_each_session_once(queue, monkeypatch):
    """And for no closed day; no symbol costs a request of its own."""
    market = market_of()
    report = scanned(queue, monkeypatch, runtime_of(queue, market))
    assert report.ledger == {"scored": 12}
    days = ["06-25", "06-26", "06-27", "06-30", "07-01", "07-02", "07-03", "07-07", "07-08"]
    assert sorted(asked(market)) == [f"2025-{day}" for day in [*days, "07-09"]]
    assert market.asked == []
    assert {one.row.bars for one in report.rows} == {10}
    close = market.answers["S03"].between(LAST, LAST).values[3, 0]
    assert report.find("S03").row.values[3] == close


def test_the_second_scan_of_a_day_asks_for_nothing(queue, monkeypatch):
    """Not even for splits."""
    market = market_of()
    runtime = runtime_of(queue, market)
    first = scanned(queue, monkeypatch, runtime)
    market.calls = []
    second = scanned(queue, monkeypatch, runtime)
    assert market.calls == []
    assert [one.row.values for one in second.rows] == [one.row.values for one in first.rows]
    assert second.facts.bars == {"hit": 12}


def test_the_next_day_costs_a_session_and_two_that_may_have_changed(queue, monkeypatch):
    """The new one, the two before it, and the splits since."""
    market = market_of()
    runtime = runtime_of(queue, market)
    scanned(queue, monkeypatch, runtime)
    market.calls = []
    market.clock = EVENING + dt.timedelta(days=1)
    report = scanned(queue, monkeypatch, runtime)
    assert report.facts.as_of == dt.date(2025, 7, 10)
    assert sorted(market.calls) == ["2025-07-08", "2025-07-09", "2025-07-10", "splits"]
    market.clock += dt.timedelta(days=1)
    market.calls = []
    scanned(queue, monkeypatch, runtime)
    assert sorted(market.calls) == ["2025-07-09", "2025-07-10", "2025-07-11", "splits"]


def test_corrected_volumes_reach_the_rows_the_next_morning(queue, monkeypatch):
    """Bars that were put together before are not served any more."""
    market = market_of(clock=EVENING + dt.timedelta(minutes=25))
    runtime = runtime_of(queue, market)
    before = scanned(queue, monkeypatch, runtime).find("S05").row.values[4]
    market.answers["S05"].values[4] *= 3.0
    market.clock = dt.datetime(2025, 7, 10, 5, 59, tzinfo=EDT)
    assert scanned(queue, monkeypatch, runtime).find("S05").row.values[4] == before
    market.clock = dt.datetime(2025, 7, 10, 6, 0, tzinfo=EDT)
    assert scanned(queue, monkeypatch, runtime).find("S05").row.values[4] == 3.0 * before


def test_a_session_that_was_open_is_asked_for_again_after_its_close(queue, monkeypatch):
    """It is not scanned while it is open."""
    market = market_of(clock=dt.datetime(2025, 7, 9, 12, tzinfo=EDT))
    runtime = runtime_of(queue, market)
    assert scanned(queue, monkeypatch, runtime).facts.as_of == dt.date(2025, 7, 8)
    noon = market.clock.timestamp()
    day = market.day(dt.date(2025, 7, 9))
    runtime.store.write(day, asked_at=noon, expiry=100)
    market.calls = []
    market.clock = EVENING
    assert scanned(queue, monkeypatch, runtime).facts.as_of == dt.date(2025, 7, 9)
    assert asked(market) == ["2025-07-09"]


def test_a_split_changes_the_bars_before_it(queue, monkeypatch):
    """Of its own symbol, on the day that it is executed, though its bars are cached."""
    market = market_of(clock=EVENING + dt.timedelta(minutes=25))
    runtime = runtime_of(queue, market)
    first = scanned(queue, monkeypatch, runtime)
    day = day_number(dt.date(2025, 7, 10))
    market.script_of_splits = [Split(symbol="S04", session=day, before=1.0, after=2.0)]
    market.clock = dt.datetime(2025, 7, 10, 5, 0, tzinfo=EDT)
    market.calls = []
    second = scanned(queue, monkeypatch, runtime)
    assert market.calls == ["splits"]
    assert second.facts.as_of == first.facts.as_of
    for symbol in SYMBOLS:
        factor = 0.5 if symbol == "S04" else 1.0
        before, after = first.find(symbol).row.values[3], second.find(symbol).row.values[3]
        assert after == pytest.approx(before * factor, rel=1e-12)


@pytest.mark.parametrize(("lookback", "sessions"), [(14, 0), (8, 5)])
def test_auto_takes_what_costs_less(queue, monkeypatch, lookback, sessions):
    """Six sessions are cheaper than twelve symbols, ten sessions for four are not."""
    market = market_of()
    runtime = runtime_of(queue, market, fetch="auto", lookback_days=lookback)
    names = SYMBOLS if sessions else SYMBOLS[:4]
    for symbol in set(SYMBOLS) - set(names):
        del market.answers[symbol]
    report = scanned(queue, monkeypatch, runtime)
    assert report.ledger == {"scored": len(names)}
    assert (len(asked(market)) > 0, len(market.asked) > 0) == (bool(sessions), not sessions)


def test_what_is_traded_without_being_listed_is_scanned_and_marked(queue, monkeypatch):
    """Of the whole market; a chosen part of it stays as it was chosen."""
    market = market_of()
    runtime = runtime_of(queue, market)
    listed = market.listing()[2:]
    monkeypatch.setattr(market, "listing", lambda: listed)
    report = scanned(queue, monkeypatch, runtime)
    assert report.ledger == {"scored": 12}
    origins = runtime.state.texts(report.facts.id)["origin"]
    assert origins == dict.fromkeys(["S00", "S01"], "traded, but not listed")
    flagged = [one.row.symbol for one in report.rows if one.row.flags.get("unlisted")]
    assert sorted(flagged) == ["S00", "S01"]
    assert scanned(queue, monkeypatch, runtime, universe="common").ledger == {"scored": 10}


def test_a_session_that_many_want_at_once_is_fetched_once(queue):
    """The others wait for it."""
    market = market_of()
    runtime = runtime_of(queue, market)
    waiting = threading.Barrier(8)

    def keep(second):
        waiting.wait()
        # Each scan has been planned at its own moment after the close.
        keep_session(
            runtime,
            Wanted(
                session=LAST,
                asked_at=100.0 + second,
                good_from=90.0,
                expiry=100,
                may_be_empty=False,
            ),
        )

    threads = [threading.Thread(target=keep, args=(second,)) for second in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked(market) == ["2025-07-09"]
    assert queue.keys("ms1:claim:test-1:*") == []


def test_a_live_scan_lays_forming_bars_over_the_history(queue, monkeypatch):
    """In one request for the whole market; what has not traded yet is stale and no row."""
    market = market_of(clock=dt.datetime(2025, 7, 9, 9, tzinfo=EDT))
    runtime = runtime_of(queue, market)
    before = scanned(queue, monkeypatch, runtime)
    market.clock = dt.datetime(2025, 7, 9, 12, tzinfo=EDT)
    market.calls = []
    quiet = market.answers["S07"]
    market.answers["S07"] = quiet.between(0, LAST - 1)
    report = scanned(queue, monkeypatch, runtime, live=True)
    assert market.calls == ["2025-07-09"]
    assert (report.facts.as_of, report.facts.live) == (dt.date(2025, 7, 9), True)
    assert report.ledger == {"scored": 11, "stale": 1}
    assert "1 session old" in report.find("S07").reason
    row = report.find("S03").row
    assert (row.bars, row.flags["provisional"]) == (before.find("S03").row.bars + 1, 1)
    assert row.values[3] == market.answers["S03"].between(LAST, LAST).values[3, 0]
    market.answers["S07"] = quiet
    market.clock, market.calls = EVENING, []
    final = scanned(queue, monkeypatch, runtime)
    assert asked(market) == ["2025-07-09"]
    assert final.ledger == {"scored": 12}
    assert "provisional" not in final.find("S03").row.flags


def test_a_live_scan_needs_an_open_session(queue, monkeypatch):
    """It says which one has closed last."""
    market = market_of()
    report = scanned(queue, monkeypatch, runtime_of(queue, market), live=True)
    assert report.state == "failed"
    assert "no session is open" in report.facts.message
    assert "2025-07-09" in report.facts.message


def test_a_series_that_the_provider_contradicts_is_flagged(queue, monkeypatch):
    """Until they agree; some symbols a day, once a day, those that split lately first."""
    market = market_of()
    day = day_number(dt.date(2025, 7, 8))
    market.script_of_splits = [Split(symbol="S04", session=day, before=1.0, after=2.0)]
    runtime = runtime_of(queue, market, sample=3)
    first = scanned(queue, monkeypatch, runtime)
    samples = [call for call in market.calls if "sample" in call]
    assert (samples[0], len(samples)) == ("sample S04", 3)
    assert first.find("S04").row.flags["suspect_split"] == 1
    second = scanned(queue, monkeypatch, runtime)
    assert second.find("S04").row.flags["suspect_split"] == 1
    assert [s for s in SYMBOLS if second.find(s).row.flags.get("suspect_split")] == ["S04"]
    assert len([call for call in market.calls if "sample" in call]) == 3
    truth = market.answers["S04"]
    values = truth.values.copy()
    values[:4, truth.sessions < day] /= 2.0
    market.samples["S04"] = dataclasses.replace(truth, values=values).between(LAST - 13, LAST + 1)
    market.clock += dt.timedelta(days=1)
    scanned(queue, monkeypatch, runtime)
    assert "suspect_split" not in scanned(queue, monkeypatch, runtime).find("S04").row.flags


def test_what_the_budget_did_not_allow_is_compared_by_the_next_scan(queue, monkeypatch):
    """Until the day's number is full; who was contradicted is first on the next day."""
    market = market_of()
    runtime = runtime_of(queue, market, sample=3)
    limited = dict.fromkeys(SYMBOLS, RateLimited("in a minute", wait=60.0))
    market.samples = limited
    scanned(queue, monkeypatch, runtime)
    assert runtime.store.compared("2025-07-09") == set()
    assert len([call for call in market.calls if "sample" in call]) == 1  # not tried in vain
    market.samples = {}
    scanned(queue, monkeypatch, runtime)
    done = runtime.store.compared("2025-07-09")
    assert len(done) == 3
    market.calls = []
    scanned(queue, monkeypatch, runtime)
    assert [call for call in market.calls if "sample" in call] == []
    runtime.store.suspect("S11", LAST, 100)
    market.clock += dt.timedelta(days=1)
    scanned(queue, monkeypatch, runtime)
    assert next(call for call in market.calls if "sample" in call) == "sample S11"


def test_a_symbol_that_cannot_be_compared_keeps_no_other_from_it(queue, monkeypatch):
    """Its own bars may be what is wrong with it."""
    market = market_of()
    market.samples = {"S05": BadBars("S05: a bar cannot be true")}
    runtime = runtime_of(queue, market, sample=12)
    scanned(queue, monkeypatch, runtime)
    assert runtime.store.compared("2025-07-09") == set(SYMBOLS) - {"S05"}


def test_a_longer_history_lists_the_splits_that_it_reaches(queue, monkeypatch):
    """Those before the first listing's window are not known from it."""
    market = market_of()
    early = day_number(dt.date(2025, 6, 20))
    market.script_of_splits = [Split(symbol="S04", session=early, before=1.0, after=2.0)]
    scanned(queue, monkeypatch, runtime_of(queue, market))
    market.calls = []
    longer = runtime_of(queue, market, lookback_days=30)
    report = scanned(queue, monkeypatch, longer)
    assert market.calls.count("splits") == 1
    assert longer.store.splits(["S04"])["S04"][0].session == early
    assert report.ledger == {"scored": 12}


def test_a_copy_of_the_close_itself_is_asked_for_once_more(queue, monkeypatch):
    """Half an hour later: some tapes are a quarter of an hour late."""
    market = market_of(clock=dt.datetime(2025, 7, 9, 16, 0, 1, tzinfo=EDT))
    runtime = runtime_of(queue, market)
    assert scanned(queue, monkeypatch, runtime).ledger == {"scored": 12}
    for minute, calls in ((29, []), (30, ["2025-07-09"]), (31, [])):
        market.clock, market.calls = dt.datetime(2025, 7, 9, 16, minute, tzinfo=EDT), []
        scanned(queue, monkeypatch, runtime)
        assert asked(market) == calls


def test_a_small_universe_is_scanned_live_by_symbol(queue, monkeypatch):
    """Its history comes by symbol, the forming bars from the snapshot, which needs no splits."""
    market = market_of(clock=dt.datetime(2025, 7, 9, 12, tzinfo=EDT))
    runtime = runtime_of(queue, market, fetch="symbols")
    report = scanned(queue, monkeypatch, runtime, live=True)
    assert report.ledger == {"scored": 12}
    assert sorted(market.asked) == SYMBOLS
    assert "splits" not in market.calls
