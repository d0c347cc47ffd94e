"""Scans whose fields in Redis are not ours: they keep no other scan open."""

from __future__ import annotations

import time

import orjson
import pytest
from runtime_builders import runtime_on, started
from scan_builders import ScriptedProvider, row, series

from scanner import keys
from scanner.results import redis_ends
from scanner.results.redis_records import BatchRecords
from scanner.spec import ScanSpec
from scheduler.reconcile import reconcile
from scheduler.request import request_scan, spec_of

SYMBOLS = ["AAA", "BBB"]


@pytest.fixture
def runtime(queue, monkeypatch):
    """Return a runtime of two symbols, whose closers may be followed by others at once."""
    monkeypatch.setattr(redis_ends, "CLOSING_LEASE", 0)
    return runtime_on(queue, ScriptedProvider({s: series(s) for s in SYMBOLS}))


def complete(runtime, name="good", seconds=300.0):
    """Return the id of a scan that has all its records and that nobody closed."""
    spec = ScanSpec(source="test-1", universe=name)
    scan_id = started(runtime, SYMBOLS, seconds, spec, tasks=1)
    records = [row(symbol) for symbol in SYMBOLS]
    runtime.state.write(scan_id, BatchRecords(final=records, waiting=()))
    return scan_id


def of_another_type(queue, scan_id):
    """Make a list of a scan."""
    queue.delete(keys.scan(scan_id))
    queue.rpush(keys.scan(scan_id), "x")


#: What is wrong with a scan -> what makes it so.
BREAKS = {
    "no number": lambda q, s: q.hset(keys.scan(s), "total", "many"),
    "no text": lambda q, s: q.hset(keys.scan(s), "message", b"\xff\xfe"),
    "no universe": lambda q, s: q.set(keys.universe_of(s), b"no zstd"),
    "no list": lambda q, s: q.hset(keys.scan(s), "told", "{"),
    "a number for a list": lambda q, s: q.hset(keys.scan(s), "calendar", "5"),
    "no screens": lambda q, s: q.hset(keys.scan(s), "screens", "[a"),
    "long screens": lambda q, s: q.hset(keys.scan(s), "screens", "x" * 5_000_000),
    "no record": lambda q, s: q.hset(keys.records(s), "AAA", b"\x00\x01"),
    "unknown record": lambda q, s: q.hset(keys.records(s), "AAA", orjson.dumps({"a": [1]})),
    "no texts": lambda q, s: q.set(keys.texts_of(s), b"x"),
    "a nameless time": lambda q, s: q.hset(keys.scan(s), "asked_at", "noon"),
    "another type": of_another_type,
}


@pytest.mark.parametrize("kind", BREAKS)
def test_a_scan_that_cannot_be_read_keeps_no_other_open(runtime, queue, kind):
    """It comes first, and the one behind it is closed; at its deadline it has failed itself."""
    broken = complete(runtime, "broken")
    good = complete(runtime)
    BREAKS[kind](queue, broken)
    queue.zadd(keys.SCANS_OPEN, {broken: time.time() + 1.0, good: time.time() + 200.0})
    reconcile(runtime)
    assert runtime.state.progress(good).state == "done"
    if kind == "another type":
        return
    queue.zadd(keys.SCANS_OPEN, {broken: time.time() - 1.0})
    reconcile(runtime)
    assert broken not in runtime.state.open_scans()
    ended = runtime.state.progress(broken)
    assert ended.state == "failed"
    assert "cannot be read" in ended.fields["message"]
    assert runtime.state.running(ScanSpec(source="test-1", universe="broken")) is None


@pytest.mark.parametrize(
    "spec",
    [
        b"{",
        b"[]",
        b"5",
        b'{"unknown": 1}',
        b'{"source": 1, "universe": ["x"], "as_of": 5}',
        b'{"source": "test-1", "universe": "all", "as_of": "noon"}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_a_request_that_is_none_keeps_no_other_open(runtime, queue, spec):
    """Its message is refused by the control worker's task; at its deadline it has failed."""
    broken = request_scan(runtime, spec_of(runtime, universe="broken"))
    good = complete(runtime)
    queue.hset(keys.scan(broken), "spec", spec)
    queue.hset(keys.scan(broken), mapping={"market_now": 1, "round_over": 1})
    queue.zadd(keys.SCANS_OPEN, {broken: time.time() + 1.0, good: time.time() + 200.0})
    reconcile(runtime)
    assert runtime.state.progress(good).state == "done"
    queue.zadd(keys.SCANS_OPEN, {broken: time.time() - 1.0})
    reconcile(runtime)
    assert runtime.state.open_scans() == {}
    assert runtime.state.progress(broken).state == "failed"


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b'{"a": 5}', b'{"a": {"asked_at": 1}}', b"\xff", b'{"a": []}']
)
def test_a_file_of_open_scans_that_makes_no_sense_keeps_none_open(runtime, text):
    """It is written anew."""
    good = complete(runtime)
    path = runtime.settings.home / "open-scans.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text)
    reconcile(runtime)
    assert runtime.state.progress(good).state == "done"
    assert set(orjson.loads(path.read_bytes())) == {good}


def test_ids_that_are_none_keep_no_other_open(runtime, queue):
    """They are forgotten at their deadline."""
    good = complete(runtime)
    queue.zadd(keys.SCANS_OPEN, {"a b:records": 1.0, "*": 2.0})
    reconcile(runtime)
    assert runtime.state.progress(good).state == "done"
    assert runtime.state.open_scans() == {}
