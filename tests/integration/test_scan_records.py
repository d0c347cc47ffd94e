"""The records of a scan on a real Valkey: who may write them, and that each symbol has one."""

from __future__ import annotations

import time

import pytest
from scan_builders import FIELDS, absence, row

from scanner.results.redis_records import BatchRecords, CollectedRecords
from scanner.results.redis_state import RedisScanState
from scanner.spec import ScanSpec

EXPIRY = 3_600
SPEC = ScanSpec(source="test-1", universe="all", lookback_days=400, batch_size=7)
SYMBOLS = ["AAA", "BRK.B", "KIMpL"]


@pytest.fixture
def state(client):
    """Return the state of scans in an empty database."""
    return RedisScanState(client, EXPIRY)


def run_scan(state):
    """Open a scan and start it."""
    state.open("s1", SPEC, time.time() + 120.0)
    assert state.start("s1", SYMBOLS, time.time() + 300.0, FIELDS)


def batch(*final, waiting=(), **counters):
    """Return what a task writes."""
    return BatchRecords(final=final, waiting=waiting, counters=counters)


def test_records_are_taken_only_while_the_scan_runs(state):
    """All or none; what is refused is counted."""
    assert state.write("nobody", batch(row("AAA"))) == -1
    assert state.progress("nobody") is None
    state.open("s1", SPEC, time.time() + 120.0)
    assert state.write("s1", batch(row("AAA"))) == -1
    state.start("s1", SYMBOLS, time.time() + 300.0, FIELDS)
    assert state.write("s1", batch(row("AAA"))) == 1
    state.take_closing("s1")
    late = batch(row("BRK.B"), waiting=[absence("KIMpL", final=False)], tasks=1.0)
    assert state.write("s1", late) == -1
    state.finish("s1", "done", {})
    assert state.write("s1", batch(row("BRK.B"))) == -1
    found = state.collect("s1")
    assert (set(found.records), found.waiting) == ({"AAA"}, {})
    assert state.progress("s1").fields["event:refused"] == "4"


def test_a_symbol_gets_one_final_record_whoever_writes_it(state):
    """The first counts; a message that was delivered twice changes nothing."""
    run_scan(state)
    assert state.write("s1", batch(row("AAA", {"close": 1.0}))) == 1
    again = batch(row("AAA", {"close": 2.0}), row("BRK.B"), waiting=[absence("AAA", final=False)])
    assert state.write("s1", again) == 1
    found = state.collect("s1")
    assert found.records == {"AAA": row("AAA", {"close": 1.0}), "BRK.B": row("BRK.B")}
    assert found.waiting == {}
    assert state.progress("s1").fields["event:refused"] == "2"


def test_a_waiting_record_is_replaced_by_a_later_one_and_by_a_final_one(state):
    """A symbol is never in both."""
    run_scan(state)
    for why in ("deferred:budget", "error:ProviderUnavailable"):
        assert state.write("s1", batch(waiting=[absence("AAA", why, final=False)])) == 1
        assert state.collect("s1").waiting == {"AAA": absence("AAA", why, final=False)}
    assert state.progress("s1").waiting == 1
    assert state.write("s1", batch(row("AAA"))) == 1
    progress, found = state.progress("s1"), state.collect("s1")
    assert (progress.recorded, progress.waiting) == (1, 0)
    assert (found.records, found.waiting) == ({"AAA": row("AAA")}, {})


def test_what_was_written_is_collected_with_the_universe_in_its_order(state):
    """Rows and absences as they were."""
    run_scan(state)
    state.write("s1", batch(row("KIMpL"), absence("BRK.B"), waiting=[absence("AAA", final=False)]))
    found = state.collect("s1")
    assert found.universe == tuple(SYMBOLS)
    assert found.records == {"KIMpL": row("KIMpL"), "BRK.B": absence("BRK.B")}
    assert found.waiting == {"AAA": absence("AAA", final=False)}
    assert state.collect("nobody") == CollectedRecords(universe=(), records={}, waiting={})


def test_counters_of_all_tasks_add_up(state):
    """Fractions too."""
    run_scan(state)
    counters = {"seconds:bars": 0.25, "tasks": 1.0}
    state.write("s1", BatchRecords(final=[row("AAA")], waiting=(), counters=counters))
    state.write("s1", BatchRecords(final=[], waiting=(), counters=counters))
    fields = state.progress("s1").fields
    assert (float(fields["seconds:bars"]), float(fields["tasks"])) == (0.5, 2.0)
