"""The state of a scan on a real Valkey: who may open, write, close and finish it, and when."""

from __future__ import annotations

import datetime as dt
import time

import pytest
import redis
from process_fixtures import free_port
from redis.backoff import NoBackoff
from redis.retry import Retry
from scan_builders import FIELDS, LAST, REQUEST, absence, row

from scanner import keys
from scanner.bars.cache import BarRequest
from scanner.errors import ScanRunning, StoreUnavailable
from scanner.results import redis_ends, redis_state
from scanner.results.redis_records import BatchRecords
from scanner.results.redis_state import RedisScanState
from scanner.spec import ScanSpec

EXPIRY = 3_600
SPEC = ScanSpec(source="test-1", universe="all", lookback_days=400, batch_size=7)
SYMBOLS = ["AAA", "BRK.B", "KIMpL"]


@pytest.fixture
def state(client):
    """Return the state of scans in an empty database."""
    return RedisScanState(client, EXPIRY)


def open_scan(state, scan_id="s1", spec=SPEC, seconds=120.0):
    """Open a planned scan."""
    state.open(scan_id, spec, time.time() + seconds)


def run_scan(state, scan_id="s1", spec=SPEC):
    """Open a scan and start it."""
    open_scan(state, scan_id, spec)
    assert state.start(scan_id, SYMBOLS, time.time() + 300.0, FIELDS)


def batch(*final, waiting=(), **counters):
    """Return what a task writes."""
    return BatchRecords(final=final, waiting=waiting, counters=counters)


def test_a_second_scan_of_a_universe_is_refused_with_the_id_of_the_first(state):
    """Planned, running or closing."""
    open_scan(state, "s1")
    for change in (
        lambda: None,
        lambda: state.start("s1", SYMBOLS, time.time() + 300.0, FIELDS),
        lambda: state.take_closing("s1"),
    ):
        change()
        with pytest.raises(ScanRunning, match="s1") as caught:
            open_scan(state, "s2")
        assert caught.value.scan_id == "s1"
    assert state.progress("s2") is None
    assert set(state.open_scans()) == {"s1"}


def test_scans_of_other_universes_and_sources_run_side_by_side(state):
    """The lock is of both."""
    open_scan(state, "s1")
    open_scan(state, "s2", ScanSpec(source="test-1", universe="common", lookback_days=400))
    open_scan(state, "s3", ScanSpec(source="test-2", universe="all", lookback_days=400))
    assert set(state.open_scans()) == {"s1", "s2", "s3"}


@pytest.mark.parametrize("as_of", [None, dt.date(2025, 7, 9)])
def test_a_planned_scan_gives_back_what_was_asked_for(state, as_of):
    """To the worker that plans it; later it has no more use."""
    spec = ScanSpec(source="test-1", universe="all", lookback_days=9, batch_size=7, as_of=as_of)
    open_scan(state, "s1", spec)
    assert state.spec("s1") == spec
    assert state.request("s1") is None
    state.start("s1", SYMBOLS, time.time() + 300.0, FIELDS)
    assert state.spec("s1") is None
    assert state.spec("nobody") is None


def test_a_running_scan_says_which_bars_it_needs(state):
    """Until it closes."""
    run_scan(state)
    assert state.request("s1") == BarRequest(
        source="test-1", timeframe="1d", first=REQUEST.first, last=LAST
    )
    state.take_closing("s1")
    assert state.request("s1") is None
    assert state.request("nobody") is None


def test_a_scan_starts_once_and_gets_its_deadline(state, client):
    """The lock lives as long as the scan may."""
    open_scan(state, seconds=5.0)
    deadline = time.time() + 900.0
    assert state.start("s1", SYMBOLS, deadline, FIELDS)
    assert not state.start("s1", SYMBOLS, deadline, FIELDS)
    assert state.open_scans() == {"s1": pytest.approx(deadline)}
    assert 900 < client.ttl(keys.lock("test-1", "all")) <= 901 + redis_state.CLOSING_LEASE
    progress = state.progress("s1")
    assert (progress.state, progress.total, progress.recorded) == ("running", 3, 0)
    assert not state.start("nobody", SYMBOLS, deadline, FIELDS)


def test_one_closer_gets_the_lease(state):
    """All others go away, however often they ask."""
    run_scan(state)
    before = time.time()
    assert before - 1 <= state.take_closing("s1") <= time.time()
    assert [state.take_closing("s1") for _ in range(3)] == [None] * 3
    assert state.take_closing("nobody") is None


def test_a_second_closer_takes_over_after_the_lease_with_the_same_time(state, monkeypatch):
    """The first may have died; the report must not depend on who closes."""
    run_scan(state)
    monkeypatch.setattr(redis_ends, "CLOSING_LEASE", 0)
    first = state.take_closing("s1")
    monkeypatch.undo()
    assert state.take_closing("s1") == first
    assert state.take_closing("s1") is None


def test_a_finished_scan_is_not_closed_again(state):
    """Its last state stays."""
    run_scan(state)
    state.take_closing("s1")
    assert state.finish("s1", "done", {"finished_at": 1.0})
    assert state.take_closing("s1") is None
    assert not state.finish("s1", "failed", {})
    assert not state.stop("s1", "too late")
    assert not state.cancel("s1", "too late")
    progress = state.progress("s1")
    assert (progress.state, progress.fields["finished_at"]) == ("done", "1.0")
    assert "message" not in progress.fields
    assert state.open_scans() == {}


def test_a_finished_scan_gives_its_universe_free(state):
    """The next one opens at once."""
    run_scan(state, "s1")
    state.take_closing("s1")
    state.finish("s1", "done", {})
    open_scan(state, "s2")
    assert state.progress("s2").state == "planned"


@pytest.mark.parametrize(("ended", "stays"), [("done", False), ("degraded", True)])
def test_records_of_a_scan_that_is_done_go(state, client, ended, stays):
    """They are in its report; others are there to be resumed. Where it stood is still said."""
    run_scan(state, "s1")
    total = state.progress("s1").total
    client.hset(keys.records("s1"), "AAA", b"{}")
    client.expire(keys.records("s1"), EXPIRY)
    state.take_closing("s1")
    state.finish("s1", ended, {})
    assert (client.ttl(keys.records("s1")) > 60) == stays
    client.delete(keys.records("s1"))
    assert state.progress("s1").recorded == (0 if stays else total)


def test_a_late_closer_does_not_free_the_lock_of_the_next_scan(state, client):
    """The lock is deleted only by the scan that holds it."""
    run_scan(state, "s1")
    state.take_closing("s1")
    client.delete(keys.lock("test-1", "all"))
    open_scan(state, "s2")
    state.finish("s1", "done", {})
    with pytest.raises(ScanRunning, match="s2"):
        open_scan(state, "s3")


def test_a_lock_whose_scan_is_gone_or_over_stops_nobody(state, client):
    """As after a process that died between two steps."""
    client.set(keys.lock("test-1", "all"), "lost")
    open_scan(state, "s1")
    client.hset(keys.scan("s1"), "state", "done")
    open_scan(state, "s2")
    assert state.progress("s2").state == "planned"


@pytest.mark.parametrize("begin", [open_scan, run_scan])
def test_a_scan_is_cancelled_before_and_while_it_runs(state, begin):
    """With the reason, and its universe is free."""
    begin(state, "s1")
    assert state.cancel("s1", "interrupted")
    progress = state.progress("s1")
    assert (progress.state, progress.fields["message"]) == ("cancelled", "interrupted")
    assert not state.cancel("s1", "again")
    assert state.open_scans() == {}
    assert state.write("s1", batch(row("AAA"))) == -1
    open_scan(state, "s2")


@pytest.mark.parametrize("begin", [open_scan, run_scan])
def test_a_stopped_scan_is_closed_at_once_by_whoever_comes(state, begin):
    """Its reason is kept for the report."""
    begin(state, "s1")
    assert state.stop("s1", "the key was refused")
    assert not state.stop("s1", "again")
    assert state.write("s1", batch(row("AAA"))) == -1
    assert state.take_closing("s1") is not None
    assert state.take_closing("s1") is None
    assert state.progress("s1").fields["message"] == "the key was refused"


def test_facts_are_noted_whatever_the_state_but_make_no_scan(state):
    """A scan that is gone does not come back as a hash without an end."""
    open_scan(state)
    state.note("s1", {"seconds:enqueue": 0.5})
    state.note("nobody", {"seconds:enqueue": 0.5})
    assert state.progress("s1").fields["seconds:enqueue"] == "0.5"
    assert state.progress("s1").state == "planned"
    assert state.progress("nobody") is None


def test_a_scan_whose_keys_are_gone_is_forgotten(state, client):
    """Else the reconciler would find it for ever."""
    open_scan(state)
    client.delete(keys.scan("s1"))
    assert set(state.open_scans()) == {"s1"}
    state.forget_open("s1")
    assert state.open_scans() == {}


def test_every_key_of_a_scan_expires(state, client):
    """From its opening to its end."""
    run_scan(state)
    state.write("s1", batch(row("AAA"), waiting=[absence("BRK.B", final=False)], tasks=1.0))
    state.note("s1", {"seconds:enqueue": 0.5})
    names = {key.decode() for key in client.keys("*")}
    assert {keys.scan("s1"), keys.records("s1"), keys.retry("s1"), keys.universe_of("s1")} < names
    assert all(0 < client.ttl(name) <= EXPIRY for name in names)
    state.take_closing("s1")
    state.finish("s1", "done", {"finished_at": 1.0})
    assert {n for n in client.keys("*") if not 0 < client.ttl(n) <= EXPIRY} == set()


def test_a_redis_that_is_away_is_a_store_that_is_not_available():
    """For every operation."""
    state = RedisScanState(redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 0)), EXPIRY)
    for action in (
        lambda: open_scan(state),
        lambda: state.write("s1", batch(row("AAA"))),
        lambda: state.take_closing("s1"),
        lambda: state.collect("s1"),
        lambda: state.progress("s1"),
        lambda: state.cancel("s1", "x"),
        state.open_scans,
    ):
        with pytest.raises(StoreUnavailable):
            action()


def test_a_refused_start_changes_nothing(state, client):
    """Neither the universe of the scan that runs, nor its deadline, nor another scan's lock."""
    run_scan(state)
    before = (state.open_scans(), client.ttl(keys.lock("test-1", "all")))
    assert not state.start("s1", ["X"], time.time() + 9_000.0, FIELDS)
    assert state.collect("s1").universe == tuple(SYMBOLS)
    assert state.open_scans() == before[0]
    assert client.ttl(keys.lock("test-1", "all")) <= before[1]


def test_a_refused_finish_keeps_the_universe_taken(state, client):
    """A running scan cannot be finished before it closes, and stays open."""
    run_scan(state)
    assert not state.finish("s1", "done", {})
    assert client.get(keys.lock("test-1", "all")) == b"s1"
    assert set(state.open_scans()) == {"s1"}


def test_a_closing_scan_is_not_cancelled(state):
    """Its closer is at work, and its report will come."""
    run_scan(state)
    assert state.take_closing("s1") is not None
    assert not state.cancel("s1", "too late")
    assert state.progress("s1").state == "closing"
