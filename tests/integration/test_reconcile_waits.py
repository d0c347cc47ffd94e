"""What the reconciler leaves alone, and what it goes on with whatever fails beside it."""

from __future__ import annotations

import pytest
from runtime_builders import away_once, messages, runtime_on, started
from scan_builders import ScriptedProvider, absence, row, series

from scanner import keys
from scanner.errors import RateLimited, StoreUnavailable
from scanner.results.redis_records import BatchRecords
from scheduler import reconcile as module
from scheduler import tasks
from scheduler.reconcile import reconcile, resume
from scheduler.request import request_scan, spec_of

SYMBOLS = ["AAA", "BBB", "CCC"]


@pytest.fixture
def runtime(queue):
    """Return a runtime of three symbols."""
    return runtime_on(queue, ScriptedProvider({s: series(s) for s in SYMBOLS}))


@pytest.fixture
def scan_id(runtime):
    """Return a scan that runs over three symbols."""
    return started(runtime, SYMBOLS)


def write(runtime, scan_id, *final, waiting=(), number=0):
    """Write what a batch does."""
    runtime.state.write(scan_id, BatchRecords(final=final, waiting=waiting, number=number))


def state_of(runtime, scan_id):
    """Return the state of a scan."""
    return runtime.state.progress(scan_id).state


def test_a_scan_that_cannot_be_read_has_until_its_deadline(queue, runtime, scan_id):
    """What it cannot be read for may be over by then."""
    queue.hset(keys.scan(scan_id), "total", "many")
    reconcile(runtime)
    assert queue.hget(keys.scan(scan_id), "state") == b"running"
    queue.hset(keys.scan(scan_id), "total", "3")
    write(runtime, scan_id, *map(row, SYMBOLS))
    reconcile(runtime)
    assert state_of(runtime, scan_id) == "done"


def test_what_passes_ends_no_scan(queue, monkeypatch, runtime, scan_id):
    """Not at its deadline either: the next call closes it."""
    write(runtime, scan_id, row("AAA"))
    queue.zadd(keys.SCANS_OPEN, {scan_id: 1.0})

    def limited(*_, **__):
        raise RateLimited("not now", wait=1.0)

    with monkeypatch.context() as patch:
        patch.setattr(module, "finish", limited)
        reconcile(runtime)
    assert state_of(runtime, scan_id) == "running"
    reconcile(runtime)
    assert state_of(runtime, scan_id) == "degraded"


@pytest.mark.parametrize(
    "error", [ValueError("no number"), StoreUnavailable("no such command", passes=False)]
)
def test_tasks_that_cannot_be_read_keep_no_scan_open(monkeypatch, runtime, scan_id, error):
    """Those of dead processes, which are gone on with first."""
    write(runtime, scan_id, *map(row, SYMBOLS))

    def unreadable():
        raise error

    monkeypatch.setattr(runtime.state, "left_here", unreadable)
    reconcile(runtime)
    assert state_of(runtime, scan_id) == "done"


def test_what_is_on_the_queue_is_not_lost(queue, monkeypatch, runtime, scan_id):
    """However long nothing has moved: all workers may be away."""
    monkeypatch.setattr(module, "LOST_AFTER", 0.0)
    monkeypatch.setattr(module, "STALLED_AFTER", 0.0)
    queue.rpush("scan", "a message")
    reconcile(runtime)
    reconcile(runtime)
    assert queue.llen("scan") == 1
    queue.delete("scan")
    reconcile(runtime)
    assert sorted(arguments[2] for _, arguments in messages(queue, "scan")) == [
        [symbol] for symbol in SYMBOLS
    ]


@pytest.mark.parametrize(("came", "planned_again"), [(2, []), (1, ["again"])])
def test_a_scan_that_is_being_planned_is_not_planned_by_a_second(
    queue, monkeypatch, runtime, came, planned_again
):
    """When all its sessions have come a control worker is at it, which no task shows."""
    scan_id = request_scan(runtime, spec_of(runtime))
    fields = {"market_now": "2025-07-09T16:20:00-04:00", "sessions": 2, "sessions_done": came}
    queue.hset(keys.scan(scan_id), mapping=fields)
    monkeypatch.setattr(module, "LOST_AFTER", 0.0)
    planned = []
    monkeypatch.setattr(module, "start_scan", lambda *_: planned.append("again"))
    reconcile(runtime)
    reconcile(runtime)
    assert planned == planned_again


def test_a_round_that_brings_a_record_is_none_in_vain(runtime, scan_id):
    """Others may have to follow it."""
    write(runtime, scan_id, row("AAA"))
    for number in (1, 2):
        reconcile(runtime)
        write(runtime, scan_id, number=number)
    write(runtime, scan_id, row("BBB"), number=3)
    for number in (4, 5):
        reconcile(runtime)
        assert state_of(runtime, scan_id) == "running"
        write(runtime, scan_id, number=number)
    write(runtime, scan_id, row("CCC"), number=6)
    reconcile(runtime)
    assert state_of(runtime, scan_id) == "done"


def test_only_a_scan_that_runs_is_resumed(queue, runtime, scan_id):
    """One that is closed in between, or still planned, has nothing to give out."""
    waiting = [absence(symbol, "deferred:budget", final=False) for symbol in SYMBOLS]
    write(runtime, scan_id, waiting=waiting)
    runtime.state.cancel(scan_id, "no more of it")
    resume(runtime, scan_id)
    resume(runtime, request_scan(runtime, spec_of(runtime, universe="common")))
    resume(runtime, "20250709-162000-abcdef")
    assert messages(queue, "scan") == []


def test_a_scan_is_started_when_redis_is_back(monkeypatch, runtime):
    """Its message is not given up; who plans it is noted before."""
    scan_id = request_scan(runtime, spec_of(runtime))
    monkeypatch.setattr("worker.runtime.current", lambda: runtime)
    monkeypatch.setattr("worker.runtime.matching", lambda current, _source: current)
    failed = away_once(monkeypatch, runtime.state, "spec")
    started_by = []

    def start(current, scan):
        started_by.append(current.state.progress(scan).fields["planner"])

    monkeypatch.setattr("scheduler.dispatch.start_scan", start)
    tasks.start_scan.push_request(hostname="control@here")
    try:
        tasks.start_scan.run(scan_id)
    finally:
        tasks.start_scan.pop_request()
    assert (failed, started_by) == (["spec"], ["control@here"])
