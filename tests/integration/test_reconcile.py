"""The reconciler, which beat calls: it ends or goes on with what is open."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from runtime_builders import messages, runtime_on, started
from scan_builders import LAST, ScriptedProvider, absence, row, series

from scanner import keys
from scanner.errors import ConfigError
from scanner.results import redis_ends
from scanner.results.redis_records import BatchRecords
from scanner.spec import Batch
from scheduler.planned import plan_scan
from scheduler.reconcile import reconcile
from scheduler.request import request_scan, spec_of

SYMBOLS = ["AAA", "BBB", "CCC"]


def runtime_of(queue, **options):
    """Return a runtime of three symbols."""
    return runtime_on(queue, ScriptedProvider({s: series(s) for s in SYMBOLS}), **options)


def running(runtime, seconds=300.0):
    """Return the id of a scan that runs and has so many seconds left."""
    return started(runtime, SYMBOLS, seconds, batches=2)


def write(runtime, scan_id, *final, waiting=(), tasks=0.0, number=-1):
    """Write records as so many tasks do, or as the batch of a number does."""
    counters = {"tasks": tasks} if tasks else {}
    records = BatchRecords(final=final, waiting=waiting, counters=counters, number=number)
    runtime.state.write(scan_id, records)


def state_of(runtime, scan_id):
    """Return the state of a scan."""
    return runtime.state.progress(scan_id).state


def test_a_complete_scan_that_nobody_closed_is_closed(queue):
    """The chord's last message can be lost."""
    runtime = runtime_of(queue)
    scan_id = running(runtime)
    write(runtime, scan_id, *map(row, SYMBOLS), tasks=2.0)
    reconcile(runtime)
    assert state_of(runtime, scan_id) == "done"
    assert runtime.reports.load(scan_id).ledger == {"scored": 3}


def test_a_scan_whose_tasks_are_under_way_is_left_alone(queue):
    """One of two tasks has ended."""
    runtime = runtime_of(queue)
    scan_id = running(runtime)
    write(runtime, scan_id, row("AAA"))
    reconcile(runtime)
    assert (state_of(runtime, scan_id), messages(queue, "scan")) == ("running", [])


def test_at_its_deadline_a_scan_is_closed_with_what_is_there(queue):
    """Degraded."""
    runtime = runtime_of(queue)
    scan_id = running(runtime, seconds=-1.0)
    write(runtime, scan_id, row("AAA"))
    reconcile(runtime)
    assert state_of(runtime, scan_id) == "degraded"
    ledger = {"scored": 1, "deferred:unfinished": 2}
    assert runtime.reports.load(scan_id).ledger == ledger


def test_deferred_symbols_are_given_out_again_alone(queue):
    """All tasks have ended, so nobody else would."""
    runtime = runtime_of(queue)
    scan_id = running(runtime)
    write(
        runtime,
        scan_id,
        row("AAA"),
        waiting=[absence(s, "deferred:budget", final=False) for s in ("BBB", "CCC")],
        tasks=2.0,
    )
    reconcile(runtime)
    assert messages(queue, "scan") == [
        ("scan_symbols", [scan_id, 2, ["BBB"], 0]),
        ("scan_symbols", [scan_id, 3, ["CCC"], 0]),
    ]
    reconcile(runtime)
    assert len(messages(queue, "scan")) == 2
    write(runtime, scan_id, row("BBB"), row("CCC"), tasks=2.0)
    reconcile(runtime)
    assert state_of(runtime, scan_id) == "done"


def test_no_more_symbols_are_given_out_than_the_budget_lets_through(queue):
    """One a minute, and one for the only thread."""
    runtime = runtime_of(queue, rate="1/minute", workers=1, threads=1)
    scan_id = running(runtime)
    waiting = [absence(s, "deferred:budget", final=False) for s in SYMBOLS]
    write(runtime, scan_id, waiting=waiting, tasks=2.0)
    reconcile(runtime)
    assert [arguments[2] for _, arguments in messages(queue, "scan")] == [["AAA"], ["BBB"]]


def test_a_scan_whose_closer_died_is_closed_by_the_next(queue, monkeypatch):
    """When its lease is over, not before."""
    runtime = runtime_of(queue)
    closers = {}
    for lease, state in ((60, "closing"), (0, "failed")):
        with monkeypatch.context() as patch:
            patch.setattr(redis_ends, "CLOSING_LEASE", lease)
            scan_id = running(runtime)
            closers[lease] = runtime.state.take_closing(scan_id)
        reconcile(runtime)
        assert state_of(runtime, scan_id) == state
        runtime.state.finish(scan_id, "cancelled", {})
    assert None not in closers.values()


def test_a_scan_whose_keys_are_gone_is_forgotten(queue):
    """It would be open for ever."""
    runtime = runtime_of(queue)
    queue.delete(keys.scan(running(runtime)))
    reconcile(runtime)
    assert runtime.state.open_scans() == {}


def test_a_planned_scan_waits_for_its_deadline(queue):
    """The message that starts it may still come."""
    runtime = runtime_of(queue)
    scan_id = request_scan(runtime, spec_of(runtime))
    reconcile(runtime)
    assert state_of(runtime, scan_id) == "planned"


def test_a_scan_that_nobody_planned_fails_with_a_word(queue):
    """It has no session and no rows, and the last hits of its screens stay what they were."""
    runtime = runtime_of(queue)
    scan_id = request_scan(runtime, spec_of(runtime))
    queue.zadd(keys.SCANS_OPEN, {scan_id: time.time() - 1.0})
    reconcile(runtime)
    report = runtime.reports.load(scan_id)
    assert (report.state, report.facts.as_of, report.rows) == ("failed", None, ())
    assert "not planned" in report.facts.message
    assert runtime.reports.last_hits(runtime.source, "all", "all") is None


def test_symbols_whose_messages_were_lost_are_given_out_again(queue, monkeypatch):
    """When the queue is empty and nothing has moved for a while, and not before."""
    runtime = runtime_of(queue)
    scan_id = running(runtime)
    write(runtime, scan_id, row("AAA"), number=0)
    reconcile(runtime)
    reconcile(runtime)
    assert messages(queue, "scan") == []
    monkeypatch.setattr("scheduler.reconcile.LOST_AFTER", 0.0)
    begun = Batch(scan_id=scan_id, number=1, symbols=("BBB", "CCC"))
    runtime.state.begin(begun, "scan1@here")
    reconcile(runtime)
    assert messages(queue, "scan") == []  # a process works on it
    runtime.state.end(begun, "scan1@here")
    reconcile(runtime)
    assert sorted(arguments[2] for _, arguments in messages(queue, "scan")) == [["BBB"], ["CCC"]]


def test_what_a_process_never_ends_is_given_out_in_the_end(queue, monkeypatch):
    """It may be gone for good, with its machine."""
    runtime = runtime_of(queue)
    scan_id = running(runtime)
    runtime.state.begin(Batch(scan_id=scan_id, number=1, symbols=("BBB",)), "scan1@gone")
    reconcile(runtime)
    monkeypatch.setattr("scheduler.reconcile.LOST_AFTER", 0.0)
    reconcile(runtime)
    assert messages(queue, "scan") == []
    monkeypatch.setattr("scheduler.reconcile.STALLED_AFTER", 0.0)
    reconcile(runtime)
    assert len(messages(queue, "scan")) == 3


def test_a_batch_that_is_written_twice_counts_once(queue):
    """A message that was delivered again does not make the chord look complete."""
    runtime = runtime_of(queue)
    scan_id = running(runtime)
    write(runtime, scan_id, row("AAA"), number=0)
    write(runtime, scan_id, row("AAA"), number=0)
    assert runtime.state.progress(scan_id).fields["tasks"] == "1"


def test_giving_out_ends_when_it_brings_nothing(queue):
    """A symbol of which nothing ever comes costs a few rounds, not the deadline."""
    runtime = runtime_of(queue)
    scan_id = running(runtime)
    write(runtime, scan_id, row("AAA"), row("CCC"), number=0)
    number = 1
    while state_of(runtime, scan_id) == "running":
        write(runtime, scan_id, number=number)
        reconcile(runtime)
        number += 1
        assert number < 8
    report = runtime.reports.load(scan_id)
    assert (report.state, report.ledger["deferred:unfinished"]) == ("degraded", 1)


@pytest.mark.parametrize("why", ["budget", "provider"])
def test_who_has_to_wait_is_given_out_until_the_deadline(queue, why):
    """A provider that is left alone, or asks to wait, may be back before it."""
    runtime = runtime_of(queue)
    scan_id = running(runtime)
    deferred = absence("BBB", f"deferred:{why}", final=False)
    write(runtime, scan_id, row("AAA"), row("CCC"), waiting=[deferred], number=0)
    for number in range(1, 8):
        write(runtime, scan_id, waiting=[deferred], number=number)
        reconcile(runtime)
        assert state_of(runtime, scan_id) == "running"
    queue.zadd(keys.SCANS_OPEN, {scan_id: 1.0})
    reconcile(runtime)
    report = runtime.reports.load(scan_id)
    assert (report.state, report.ledger[f"deferred:{why}"]) == ("degraded", 1)


def test_a_session_that_has_not_closed_is_refused(queue):
    """Its bars would be cached as final ones."""
    provider = ScriptedProvider({s: series(s) for s in SYMBOLS})
    runtime = runtime_on(queue, provider)
    newest = provider.last_session()
    spec = spec_of(runtime, as_of=newest + dt.timedelta(days=1))
    with pytest.raises(ConfigError, match="last closed session"):
        plan_scan(runtime, spec)
    assert plan_scan(runtime, spec_of(runtime, as_of=newest)).need.request.last == LAST
