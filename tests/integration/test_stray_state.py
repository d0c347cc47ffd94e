"""Steps that fail once, and state that is not as it should be: no scan stays open by them."""

from __future__ import annotations

import time

import orjson
import pytest
from runtime_builders import away_once, messages, runtime_on, started
from scan_builders import ScriptedProvider, absence, row, series

from scanner import keys
from scanner.errors import ConfigError, StoreUnavailable
from scanner.results import redis_ends
from scanner.results.redis_records import BatchRecords
from scanner.spec import Batch, Fetch
from scheduler.open_scans import remember
from scheduler.reconcile import reconcile
from scheduler.request import request_scan, spec_of
from worker import patience
from worker.finish import finish
from worker.guard import guarded, record_batch, redelivered
from worker.rounds import second_round
from worker.take_over import take_over_at_start
from worker.tasks import hand_outs

NODE = "scan1@here"
SYMBOLS = ["AAA", "BBB"]


@pytest.fixture
def runtime(queue, monkeypatch):
    """Return a runtime of two symbols that does not wait between two tries."""
    monkeypatch.setattr(patience, "_PAUSE", 0.0)
    return runtime_on(queue, ScriptedProvider({s: series(s, 300) for s in SYMBOLS}))


@pytest.fixture
def scan_id(runtime):
    """Return a scan that runs."""
    return started(runtime, SYMBOLS)


def test_a_batch_of_what_is_no_scan_raises_nothing(runtime):
    """A foreign message's id may be any text."""
    batch = Batch(scan_id="no scan", number=0, symbols=("AAA",))
    record_batch(lambda: runtime, batch, NODE, print)


def test_a_block_that_comes_again_waits_for_redis_from_its_first_step(
    monkeypatch, runtime, scan_id
):
    """Redis may be away as its delivery is counted; its message is acknowledged all the same."""
    away_once(monkeypatch, runtime.state, "count")
    given = []
    block = Batch(scan_id=scan_id, number=0, symbols=tuple(SYMBOLS))
    redelivered(lambda: runtime, block, NODE, lambda *task: given.append(task[2]))
    assert given == [["AAA"], ["BBB"]]


def test_a_scan_that_cannot_go_on_is_stopped_though_redis_was_away(monkeypatch, runtime):
    """Else its reason is lost, and it is fetched for once more."""
    scan_id = request_scan(runtime, spec_of(runtime))
    away_once(monkeypatch, runtime.state, "stop")
    splits = Fetch(scan_id=scan_id, what="splits", task="fetch_splits", arguments=())

    def refused(_runtime):
        raise ConfigError("the key was refused")

    ended = []
    guarded(lambda: runtime, splits, NODE, refused, ended.append)
    assert ended == [scan_id]


@pytest.mark.parametrize("complete", [True, False])
def test_a_scan_that_is_not_among_the_open_ones_any_more_is_closed(
    queue, runtime, scan_id, complete
):
    """Its state is there, and only the list was lost, as by a server that evicts keys."""
    remember(runtime, scan_id)
    queue.delete(keys.SCANS_OPEN)
    final = [row(symbol) for symbol in (SYMBOLS if complete else SYMBOLS[:1])]
    runtime.state.write(scan_id, BatchRecords(final=final, waiting=(), number=0))
    queue.hset(keys.scan(scan_id), "deadline", time.time() - 1.0)
    for _ in range(3):
        reconcile(runtime)
    assert runtime.state.progress(scan_id).state in {"done", "degraded"}


def test_a_scan_that_is_over_leaves_the_open_ones(queue, runtime, scan_id):
    """Else the reconciler logs its deadline every 15 seconds for ever."""
    assert runtime.state.cancel(scan_id, "enough")
    queue.zadd(keys.SCANS_OPEN, {scan_id: time.time() - 1.0})
    reconcile(runtime)
    assert runtime.state.open_scans() == {}


def test_a_fetch_of_what_is_no_session_keeps_no_task_from_being_taken_over(
    queue, runtime, scan_id, dead
):
    """It is not ours, and comes first."""
    fetch = {"by": dead, "task": "fetch_splits", "arguments": []}
    queue.hset(keys.under_way(NODE), f"{scan_id}:a b", orjson.dumps(fetch))
    task = {"by": dead, "symbols": ["AAA"], "deaths": 0, "again": True}
    queue.hset(keys.under_way(NODE), f"{scan_id}:0", orjson.dumps(task))
    take_over_at_start(lambda: runtime, NODE, hand_outs())
    assert [arguments[2] for _, arguments in messages(queue, "scan")] == [["AAA"]]


def test_a_report_that_is_written_is_not_made_again(queue, monkeypatch, runtime, scan_id):
    """Its closer ended before it said so, and the records are not what they were."""
    monkeypatch.setattr(redis_ends, "CLOSING_LEASE", 0)
    runtime.state.write(scan_id, BatchRecords(final=[row("AAA"), row("BBB")], waiting=(), number=0))

    def away(*_, **__):
        raise StoreUnavailable("finish a scan: no connection", passes=False)

    with monkeypatch.context() as patch:
        patch.setattr(runtime.state, "finish", away)
        with pytest.raises(StoreUnavailable):
            finish(runtime, scan_id)
    written = queue.get(keys.report(scan_id))
    queue.delete(keys.records(scan_id))
    assert finish(runtime, scan_id).ledger == {"scored": 2}
    assert queue.get(keys.report(scan_id)) == written
    assert runtime.state.progress(scan_id).state == "done"


def test_a_scan_that_is_over_has_no_second_round(queue, runtime, scan_id):
    """It would be missing when the scan is resumed."""
    tried = [absence(symbol, "error:Timeout", final=False) for symbol in SYMBOLS]
    runtime.state.write(scan_id, BatchRecords(final=(), waiting=tried, number=0))
    runtime.state.cancel(scan_id, "enough")
    second_round(runtime, scan_id, print)
    assert "second_round" not in runtime.state.progress(scan_id).fields
