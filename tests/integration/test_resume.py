"""A scan that was over goes on: what has a final record keeps it, the rest is tried again."""

from __future__ import annotations

import time

import orjson
import pytest
from runtime_builders import messages, runtime_on, started
from scan_builders import ScriptedProvider, absence, row, series

from scanner import keys
from scanner.errors import ScanRunning
from scanner.results.redis_records import BatchRecords
from scanner.spec import Batch
from scheduler.reconcile import reconcile, resume
from scheduler.request import request_scan, spec_of
from worker.finish import finish
from worker.guard import record_batch

SYMBOLS = ["AAA", "BBB", "CCC", "DDD"]


@pytest.fixture
def runtime(queue):
    """Return a runtime with bars of four symbols."""
    return runtime_on(queue, ScriptedProvider({s: series(s, 300) for s in SYMBOLS}))


def running(runtime):
    """Return a scan that runs."""
    return started(runtime, SYMBOLS, batches=2)


def degraded(runtime):
    """Return a scan with a row, a deferred symbol, a passing error and a symbol without record."""
    scan_id = running(runtime)
    runtime.state.note(scan_id, {"second_round": 1})
    waiting = [
        absence("BBB", "deferred:budget", final=False),
        absence("CCC", "error:ProviderUnavailable", final=False),
    ]
    runtime.state.write(scan_id, BatchRecords(final=[row("AAA")], waiting=waiting, number=0))
    report = finish(runtime, scan_id, at_deadline=True)
    assert (report.state, report.facts.revision) == ("degraded", 0)
    return scan_id


def given_out(queue):
    """Return the symbols of the tasks on the queue, with their numbers."""
    return [(arguments[1], arguments[2]) for _, arguments in messages(queue, "scan")]


def test_only_what_has_no_final_record_is_tried_again(queue, runtime):
    """And the report is another revision of the same scan."""
    scan_id = degraded(runtime)
    before = runtime.reports.load(scan_id)
    for name, screen in before.screens.items():
        last = keys.latest("test-1", "all", screen.key or name)
        queue.set(last, orjson.dumps([1.0, ["ZZZ"]]))
    assert runtime.state.reopen(scan_id, time.time() + 100.0)
    assert runtime.reports.load(scan_id) == before
    assert "second_round" not in runtime.state.progress(scan_id).fields
    resume(runtime, scan_id)
    assert given_out(queue) == [(2, ["BBB"]), (3, ["CCC"]), (4, ["DDD"])]
    ended = []
    for number, symbols in given_out(queue):
        batch = Batch(scan_id=scan_id, number=number, symbols=tuple(symbols), again=True)
        record_batch(lambda: runtime, batch, "scan1@here", ended.append)
    assert ended == [scan_id]
    report = finish(runtime, scan_id)
    assert (report.state, report.ledger) == ("done", {"scored": 4})
    assert report.facts.revision == 1
    # Other scans have come between: nothing is said to have entered or left since.
    assert {(one.entered, one.left) for one in report.screens.values()} == {((), ())}
    assert report.find("AAA").row.values == before.find("AAA").row.values
    assert runtime.reports.load(scan_id) == report
    assert runtime.state.open_scans() == {}


def test_who_is_first_of_two_gives_out(queue, runtime):
    """The reconciler may come between the two steps of a resume."""
    scan_id = degraded(runtime)
    runtime.state.reopen(scan_id, time.time() + 100.0)
    reconcile(runtime)
    first = given_out(queue)
    resume(runtime, scan_id)
    assert given_out(queue) == first
    assert len(first) == 3


def test_old_messages_do_not_count_as_new_tasks(queue, runtime):
    """A cancelled scan leaves them in the queue."""
    scan_id = degraded(runtime)
    runtime.state.reopen(scan_id, time.time() + 100.0)
    before = runtime.state.progress(scan_id).fields["tasks"]
    old = Batch(scan_id=scan_id, number=1, symbols=("DDD",))
    record_batch(lambda: runtime, old, "scan1@here", print)
    assert runtime.state.progress(scan_id).fields["tasks"] == before == "2"


def test_all_keys_of_a_resumed_scan_live_as_long_as_a_new_ones(queue, runtime):
    """It may have been near its end."""
    scan_id = degraded(runtime)
    runtime.state.keep_texts(scan_id, {"type": {"AAA": "CS"}})
    names = [
        keys.scan(scan_id),
        keys.records(scan_id),
        keys.universe_of(scan_id),
        keys.texts_of(scan_id),
    ]
    for name in names:
        assert queue.expire(name, 50)
    runtime.state.reopen(scan_id, time.time() + 100.0)
    assert [name for name in [*names, keys.SCANS_OPEN] if queue.ttl(name) < 1_000] == []


def test_a_resumed_scan_has_a_deadline_too(runtime):
    """It closes with what is there, as another revision."""
    scan_id = degraded(runtime)
    assert runtime.state.reopen(scan_id, time.time() - 1.0)
    reconcile(runtime)
    report = runtime.reports.load(scan_id)
    assert (report.state, report.facts.revision) == ("degraded", 1)
    assert report.ledger == {"scored": 1, "deferred:unfinished": 3}


def test_a_cancelled_scan_goes_on_with_what_it_had(queue, runtime):
    """It has no report until then."""
    scan_id = running(runtime)
    runtime.state.write(scan_id, BatchRecords(final=[row("AAA")], waiting=(), number=0))
    assert runtime.state.cancel(scan_id, "by hand")
    assert runtime.reports.load(scan_id) is None
    assert runtime.state.reopen(scan_id, time.time() + 100.0)
    resume(runtime, scan_id)
    assert [symbols for _, symbols in given_out(queue)] == [["BBB"], ["CCC"], ["DDD"]]
    assert runtime.state.progress(scan_id).fields.get("message") is None


def test_a_universe_that_is_scanned_is_not_taken(runtime):
    """Exit code 4 and the id of the other scan."""
    scan_id = degraded(runtime)
    other = running(runtime)
    with pytest.raises(ScanRunning) as caught:
        runtime.state.reopen(scan_id, time.time() + 100.0)
    assert caught.value.scan_id == other
    assert runtime.state.progress(scan_id).state == "degraded"


def test_a_resumed_scan_holds_its_universe(queue, runtime):
    """No second one of it starts meanwhile, and it gives it free at its end."""
    scan_id = degraded(runtime)
    runtime.state.reopen(scan_id, time.time() + 100.0)
    with pytest.raises(ScanRunning):
        running(runtime)
    finish(runtime, scan_id, at_deadline=True)
    assert queue.get(keys.lock("test-1", "all")) is None


def test_what_is_done_or_runs_or_was_never_planned_is_not_reopened(runtime):
    """There is nothing to try again."""
    scan_id = running(runtime)
    assert not runtime.state.reopen(scan_id, time.time() + 100.0)
    final = [row(symbol) for symbol in SYMBOLS]
    runtime.state.write(scan_id, BatchRecords(final=final, waiting=(), number=0))
    finish(runtime, scan_id)
    assert not runtime.state.reopen(scan_id, time.time() + 100.0)
    unplanned = request_scan(runtime, spec_of(runtime))
    runtime.state.cancel(unplanned, "by hand")
    assert not runtime.state.reopen(unplanned, time.time() + 100.0)
    assert not runtime.state.reopen("nobody", time.time() + 100.0)
