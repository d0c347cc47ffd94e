"""Scans whose planner has died, and those whose message was lost."""

from __future__ import annotations

import time

import pytest
from runtime_builders import messages, runtime_on
from scan_builders import ScriptedProvider, series

from scanner import keys
from scanner.errors import StoreUnavailable
from scheduler import take_up
from scheduler.dispatch import start_scan
from scheduler.reconcile import reconcile
from scheduler.request import request_scan, spec_of
from scheduler.take_up import left_by, note_planner, take_up_at_start
from worker.finish import finish

NODE = "control@here"


@pytest.fixture
def runtime(queue):
    """Return a runtime of three symbols."""
    return runtime_on(queue, ScriptedProvider({s: series(s) for s in ("AAA", "BBB", "CCC")}))


@pytest.fixture
def scan_id(runtime):
    """Return the id of a scan that was asked for."""
    return request_scan(runtime, spec_of(runtime))


def test_a_new_process_plans_what_its_forerunner_has_left(runtime, scan_id):
    """And nothing of another one's, which may be at work."""
    note_planner(runtime, scan_id, NODE)
    planned = []
    take_up_at_start(lambda: runtime, "control@there", planned.append, pytest.fail)
    assert planned == []
    take_up_at_start(lambda: runtime, NODE, planned.append, pytest.fail)
    assert planned == [scan_id]


def test_a_scan_that_runs_is_left_alone(runtime, scan_id):
    """Its batches are out."""
    note_planner(runtime, scan_id, NODE)
    start_scan(runtime, scan_id)
    assert left_by(runtime, NODE) == []


def test_a_scan_that_fetches_its_sessions_is_left_to_the_reconciler(runtime, scan_id):
    """It has been planned."""
    note_planner(runtime, scan_id, NODE)
    runtime.state.note(scan_id, {"market_now": "2025-07-09T16:20:00-04:00"})
    assert left_by(runtime, NODE) == []


def test_a_scan_whose_closer_has_died_is_closed_at_once(runtime, scan_id):
    """Its lease would last for a minute."""
    start_scan(runtime, scan_id)
    runtime.state.take_closing(scan_id)
    assert finish(runtime, scan_id) is None
    closed = []
    take_up_at_start(lambda: runtime, NODE, pytest.fail, closed.append)
    assert closed == [scan_id]
    assert finish(runtime, scan_id).facts.id == scan_id


def test_redis_away_at_the_start_is_logged(runtime):
    """The process works all the same."""

    def away():
        raise StoreUnavailable("list open scans: no connection")

    take_up_at_start(away, NODE, pytest.fail, pytest.fail)


def test_a_message_that_was_lost_is_sent_again(runtime, scan_id, queue, monkeypatch):
    """When it should have come long ago, and as long as nobody plans the scan."""
    reconcile(runtime)
    assert messages(queue, "control") == []
    monkeypatch.setattr(take_up, "UNPLANNED_AFTER", 0.0)
    reconcile(runtime)
    assert messages(queue, "control") == [("start_scan", [scan_id])]
    note_planner(runtime, scan_id, NODE)
    reconcile(runtime)
    assert len(messages(queue, "control")) == 1


def test_a_scan_that_could_not_be_planned_for_redis_goes_on_to_be_planned(
    runtime, scan_id, monkeypatch
):
    """It is not closed as failed for that."""

    def away(*_):
        raise StoreUnavailable("read the universe: no connection")

    with monkeypatch.context() as patch:
        patch.setattr("scheduler.planned.resolve", away)
        with pytest.raises(StoreUnavailable):
            start_scan(runtime, scan_id)
    assert runtime.state.progress(scan_id).state == "planned"
    start_scan(runtime, scan_id)
    assert runtime.state.progress(scan_id).state == "running"


def test_a_request_that_is_sent_twice_is_one_scan(runtime, queue):
    """As by a client that has lost the first answer."""
    spec = spec_of(runtime)
    for _ in range(2):
        runtime.state.open("scan-1", spec, time.time() + 60.0)
    assert list(runtime.state.open_scans()) == ["scan-1"]
    assert queue.get(keys.lock(spec.source, spec.universe)) == b"scan-1"


def test_a_redis_that_goes_away_costs_no_scan_its_state(runtime, scan_id, monkeypatch):
    """Past its deadline too: the next call closes it."""

    def away(*_, **__):
        raise StoreUnavailable("collect records: no connection")

    with monkeypatch.context() as patch:
        patch.setattr("scheduler.reconcile.finish", away)
        patch.setattr("scheduler.reconcile.time.time", lambda: 4e9)
        with pytest.raises(StoreUnavailable):
            reconcile(runtime)
    assert runtime.state.progress(scan_id).state == "planned"
