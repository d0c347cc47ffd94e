"""Steps that come too late for a scan: they make no key, and touch nothing of another scan."""

from __future__ import annotations

import time

import pytest
from scan_builders import FIELDS, row

from scanner import keys
from scanner.results.redis_fetch import CLOSING_LEASE
from scanner.results.redis_records import BatchRecords
from scanner.results.redis_state import RedisScanState
from scanner.spec import Batch, Fetch, ScanSpec

EXPIRY = 3_600
SPEC = ScanSpec(source="test-1", universe="all", lookback_days=400, batch_size=7)
LOCK = keys.lock("test-1", "all")
SYMBOLS = ["AAA", "BBB"]
WRITTEN = BatchRecords(final=[row("AAA")], waiting=(), number=0, counters={"seconds:bars": 1.0})


@pytest.fixture
def state(client):
    """Return the state of scans in an empty database."""
    return RedisScanState(client, EXPIRY)


def open_scan(state, scan_id="s1", seconds=120.0):
    """Open a planned scan."""
    state.open(scan_id, SPEC, time.time() + seconds)


def start(state, seconds=900.0):
    """Let the planned scan run."""
    return state.start("s1", SYMBOLS, time.time() + seconds, FIELDS)


def prepare(state, seconds=900.0):
    """Give the planned scan more time."""
    return state.prepare("s1", time.time() + seconds, {"sessions": 9})


def expires(client, name):
    """Return whether a key is there and will not stay."""
    return 0 < client.ttl(name) <= EXPIRY


#: A step -> what it answers for a scan that is not there.
STEPS = {
    "start": (start, False),
    "prepare": (prepare, False),
    "note": (lambda state: state.note("s1", {"seconds:enqueue": 0.5}), None),
    "write": (lambda state: state.write("s1", WRITTEN), -1),
    "count": (lambda state: state.count("s1", "late"), None),
    "count_refused": (lambda state: state.count_refused("s1"), None),
    "count_fetched": (lambda state: state.count_fetched("s1", "splits"), None),
    "count_death": (lambda state: state.count_death("s1", "splits"), 0),
    "more_batches": (lambda state: state.more_batches("s1", 2, "dead"), None),
    "stop": (lambda state: state.stop("s1", "the key was refused"), False),
    "cancel": (lambda state: state.cancel("s1", "interrupted"), False),
    "take_closing": (lambda state: state.take_closing("s1"), None),
    "finish": (lambda state: state.finish("s1", "done", {}), False),
    "reopen": (lambda state: state.reopen("s1", time.time() + 900.0), False),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_scan_that_is_gone_gets_no_key(state, client, name):
    """It would be a hash without a state and without an end, which nothing takes away."""
    step, answer = STEPS[name]
    assert step(state) == answer
    assert client.keys("*") == []


def test_a_scan_that_runs_is_not_prepared_any_more(state, client):
    """A second planner comes late: deadline, universe and fields are those of the first."""
    open_scan(state)
    assert start(state)
    before = (client.hgetall(keys.scan("s1")), state.open_scans(), client.ttl(LOCK))
    assert not prepare(state, 9_000.0)
    assert client.hgetall(keys.scan("s1")) == before[0]
    assert state.open_scans() == before[1]
    assert client.ttl(LOCK) <= before[2]


@pytest.mark.parametrize("step", [start, prepare])
def test_a_universe_is_held_until_the_new_deadline(state, client, step):
    """And for as long as a closer may take; a second scan would else begin meanwhile."""
    open_scan(state, seconds=5.0)
    assert 0 < client.ttl(LOCK) <= 5
    assert step(state)
    assert 900 < client.ttl(LOCK) <= 901 + CLOSING_LEASE


@pytest.mark.parametrize("step", [start, prepare])
def test_a_universe_that_another_scan_has_taken_since_is_not_held_longer(state, client, step):
    """A planner was away until the lock had ended; the other scan has its own deadline."""
    open_scan(state)
    client.delete(LOCK)
    open_scan(state, "s2")
    assert step(state)
    assert client.get(LOCK) == b"s2"
    assert 0 < client.ttl(LOCK) <= 120


@pytest.mark.parametrize("step", [start, prepare])
def test_a_scan_that_was_forgotten_is_not_listed_again(state, step):
    """It is given up just now: nobody would take it from the list of open scans any more."""
    open_scan(state)
    state.forget_open("s1")
    step(state)
    assert state.open_scans() == {}


@pytest.mark.parametrize(
    "end",
    [
        lambda state: state.bury("s1", {"message": "lost"}),
        lambda state: state.give_up("s1", "the scan cannot be read"),
    ],
)
def test_a_scan_that_was_lost_is_remembered_for_a_while(state, client, end):
    """As long as any other that is over."""
    end(state)
    assert state.progress("s1").state == "failed"
    assert expires(client, keys.scan("s1"))


@pytest.mark.parametrize(
    "begin",
    [
        lambda state: state.begin(Batch(scan_id="s1", number=0, symbols=("AAA",)), "scan1@here"),
        lambda state: state.begin_fetch(
            Fetch(scan_id="s1", what="splits", task="fetch_splits", arguments=()), "scan1@here"
        ),
    ],
)
def test_a_task_whose_process_never_comes_back_is_forgotten(state, client, begin):
    """Processes of machines that are gone leave nothing for ever."""
    begin(state)
    assert client.hlen(keys.under_way("scan1@here")) == 1
    assert expires(client, keys.under_way("scan1@here"))
