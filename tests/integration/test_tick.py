"""Beat's tick: it asks for the scan that is due, once for each slot."""

from __future__ import annotations

import datetime as dt

import pytest
from runtime_builders import messages, runtime_on
from scan_builders import ScriptedProvider, series

from scanner import keys
from scanner.errors import StoreUnavailable
from scheduler.beat import tick
from scheduler.dispatch import start_scan
from scheduler.request import request_scan, spec_of

DUE = dt.datetime(2025, 7, 9, 20, 20, tzinfo=dt.UTC)


def runtime_of(queue, **options):
    """Return a runtime of three symbols."""
    symbols = ("AAA", "BBB", "CCC")
    return runtime_on(queue, ScriptedProvider({s: series(s) for s in symbols}), **options)


def state_of(runtime, scan_id):
    """Return the state of a scan."""
    return runtime.state.progress(scan_id).state


def test_a_due_scan_is_started(queue):
    """By a task of its own, which notes who plans it."""
    runtime = runtime_of(queue)
    scan_id = tick(runtime, DUE)
    assert state_of(runtime, scan_id) == "planned"
    start_scan(runtime, scan_id)
    assert state_of(runtime, scan_id) == "running"
    assert len(messages(queue, "scan")) == 3


def test_a_slot_starts_one_scan_whatever_ticks_are_doubled(queue):
    """Also after the first scan is over; the next day has its own."""
    runtime = runtime_of(queue)
    scan_id = tick(runtime, DUE)
    assert tick(runtime, DUE) is None
    runtime.state.cancel(scan_id, "interrupted")
    assert tick(runtime, DUE + dt.timedelta(minutes=9)) is None
    assert tick(runtime, DUE + dt.timedelta(days=1)) not in {None, scan_id}


def test_a_slot_whose_tick_died_is_taken_over(queue, monkeypatch):
    """By the next tick: it had claimed the slot, and started nothing."""
    runtime = runtime_of(queue)

    def away(*_):
        raise StoreUnavailable("open a scan: no connection")

    with monkeypatch.context() as patch:
        patch.setattr("scheduler.beat.request_scan", away)
        with pytest.raises(StoreUnavailable):
            tick(runtime, DUE)
    assert tick(runtime, DUE + dt.timedelta(seconds=30)) is None
    assert tick(runtime, DUE + dt.timedelta(minutes=1)) is not None
    assert tick(runtime, DUE + dt.timedelta(minutes=2)) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot read"), (b"[a\n", "expected TOML"), (b"\xff", "cannot read")],
)
def test_screens_that_cannot_be_read_are_said_by_a_scan_that_failed(
    queue, tmp_path, content, message
):
    """Beat has no terminal: `scan status` shows what is wrong, and the next slot tries again."""
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    runtime = runtime_of(queue, screens=path)
    scan_id = tick(runtime, DUE)
    start_scan(runtime, scan_id)
    report = runtime.reports.load(scan_id)
    assert report.state == "failed"
    assert message in report.facts.message
    assert "mine.toml" in report.facts.message
    path.write_text("")
    scan_id = tick(runtime, DUE + dt.timedelta(days=1))
    start_scan(runtime, scan_id)
    assert state_of(runtime, scan_id) == "running"


@pytest.mark.parametrize("schedule", ["off", "at 09:00"])
def test_nothing_starts_when_nothing_is_due(queue, schedule):
    """And no slot is claimed."""
    assert tick(runtime_of(queue, schedule=schedule), DUE) is None
    assert queue.keys("*") == []


def test_a_slot_is_skipped_while_a_scan_of_the_universe_runs(queue):
    """The scan that runs goes on."""
    runtime = runtime_of(queue, schedule="every 1m")
    scan_id = request_scan(runtime, spec_of(runtime))
    assert tick(runtime, DUE) is None
    assert list(runtime.state.open_scans()) == [scan_id]


def test_a_slot_that_was_skipped_is_not_made_up_for(queue):
    """When the scan that ran is over: its report is of the same session."""
    runtime = runtime_of(queue)
    scan_id = request_scan(runtime, spec_of(runtime))
    assert tick(runtime, DUE) is None
    runtime.state.cancel(scan_id, "enough")
    assert tick(runtime, DUE + dt.timedelta(minutes=5)) is None
    assert runtime.state.open_scans() == {}


def test_a_claim_that_is_gone_is_not_made_again(queue, monkeypatch):
    """As when Redis is emptied: a key without an end would stay."""
    runtime = runtime_of(queue)

    def emptied(*arguments):
        found = request_scan(*arguments)
        queue.delete(keys.slot("test-1", "all", "2025-07-09/16:20"))
        return found

    monkeypatch.setattr("scheduler.beat.request_scan", emptied)
    assert tick(runtime, DUE) is not None
    assert not queue.exists(keys.slot("test-1", "all", "2025-07-09/16:20"))


def test_the_claim_of_a_slot_expires(queue):
    """In a week."""
    tick(runtime_of(queue), DUE)
    key = keys.slot("test-1", "all", "2025-07-09/16:20")
    assert 0 < queue.ttl(key) <= 7 * 86_400


@pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")
def test_the_real_market_is_scanned_when_it_has_a_session(queue):
    """Not on the fourth of July; the simulated one on every day."""
    fourth = DUE.replace(day=4)
    real, simulated = runtime_of(queue, provider="polygon", polygon_key="KEY"), runtime_of(queue)
    assert tick(real, fourth) is None
    scan_id = tick(simulated, fourth)
    assert simulated.state.cancel(scan_id, "interrupted")
    assert tick(real, DUE) is not None


def test_closures_that_cannot_be_read_do_not_keep_a_scan_from_saying_so(queue, tmp_path):
    """The scan starts, and fails with the reason."""
    path = tmp_path / "closures"
    path.write_text("nonsense\n")
    runtime = runtime_of(queue, provider="polygon", polygon_key="KEY", closures=path)
    scan_id = tick(runtime, DUE.replace(day=4))
    start_scan(runtime, scan_id)
    report = runtime.reports.load(scan_id)
    assert report.state == "failed"
    assert "SCANNER_CLOSURES" in report.facts.message
