"""Scans that Redis has lost are found in a file and reported as failed, once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from runtime_builders import runtime_on, started
from scan_builders import ScriptedProvider, row, series

from scanner.results.redis_records import BatchRecords
from scheduler import open_scans
from scheduler.open_scans import remember
from scheduler.reconcile import reconcile
from scheduler.request import request_scan, spec_of
from worker.finish import GONE, finish

SYMBOLS = ["AAA", "BBB"]


@pytest.fixture
def runtime(queue):
    """Return a runtime whose server holds no scan."""
    return runtime_on(queue, ScriptedProvider({s: series(s) for s in SYMBOLS}))


def running(runtime):
    """Return the id of a scan that runs and is noted in the file."""
    scan_id = started(runtime, SYMBOLS)
    remember(runtime, scan_id)
    return scan_id


def noted(runtime):
    """Return what the file holds."""
    return orjson.loads((runtime.settings.home / "open-scans.json").read_bytes())


def test_a_scan_that_was_flushed_is_reported_as_failed(queue, runtime):
    """By the next call of the reconciler; what a worker writes for it later is refused."""
    scan_id = running(runtime)
    reconcile(runtime)
    queue.flushall()
    late = BatchRecords(final=[row("AAA")], waiting=(), number=0)
    assert runtime.state.write(scan_id, late) == -1
    reconcile(runtime)
    report = runtime.reports.load(scan_id)
    assert (report.state, report.symbols, report.ledger) == ("failed", 0, {})
    assert report.facts.message.startswith("the scan's state has gone from Redis")
    assert report.facts.universe == "all"
    assert runtime.state.progress(scan_id).state == "failed"
    assert runtime.reports.newest(5) == [scan_id]
    assert noted(runtime) == {}
    saved = queue.get(f"ms1:scan:{scan_id}:report")
    reconcile(runtime)
    assert queue.get(f"ms1:scan:{scan_id}:report") == saved


def test_a_scan_whose_state_alone_is_gone_is_reported_too(queue, runtime):
    """Its id is still among the open ones when it is missed."""
    scan_id = running(runtime)
    reconcile(runtime)
    queue.delete(f"ms1:scan:{scan_id}")
    for _ in range(2):
        reconcile(runtime)
    assert runtime.reports.load(scan_id).state == "failed"
    assert noted(runtime) == {}


@pytest.mark.parametrize(
    ("moment", "state", "rows"),
    [("take_closing", "failed", 0), ("progress", "failed", 0), ("collect", "done", 2)],
)
def test_a_scan_that_is_flushed_while_it_closes(queue, monkeypatch, runtime, moment, state, rows):
    """It has failed, or its closer had all of it before; never half of it, or two reports."""
    scan_id = running(runtime)
    final = [row(symbol) for symbol in SYMBOLS]
    runtime.state.write(scan_id, BatchRecords(final=final, waiting=(), number=0))
    read = getattr(runtime.state, moment)

    def flushed(*arguments):
        found = read(*arguments)
        if runtime.state.progress.__name__ != "flushed" or found.state == "closing":
            queue.flushall()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(runtime.state, moment, flushed)
        finish(runtime, scan_id)
    saved = queue.get(f"ms1:scan:{scan_id}:report")
    assert (saved is None) == (moment == "take_closing")
    reconcile(runtime)
    report = runtime.reports.load(scan_id)
    assert saved in {None, queue.get(f"ms1:scan:{scan_id}:report")}
    assert (report.state, len(report.rows)) == (state, rows)
    assert report.facts.message == ("" if rows else GONE)
    assert runtime.state.progress(scan_id).state == state
    assert noted(runtime) == {}


@pytest.mark.parametrize("lost", ["universe", "records"])
def test_a_scan_that_loses_a_part_of_its_state_is_not_done(queue, runtime, lost):
    """As by a server that evicts keys; its rows are not to be had any more."""
    scan_id = running(runtime)
    final = [row(symbol) for symbol in SYMBOLS]
    runtime.state.write(scan_id, BatchRecords(final=final, waiting=(), number=0))
    assert queue.delete(f"ms1:scan:{scan_id}:{lost}") == 1
    report = finish(runtime, scan_id, at_deadline=True)
    assert report.state == "failed"
    assert report.rows == ()


def test_the_universe_of_a_lost_scan_is_free(queue, runtime):
    """The next scan of it starts, before or after the loss was found."""
    running(runtime)
    queue.flushall()
    again = running(runtime)
    reconcile(runtime)
    assert runtime.state.progress(again).state == "running"
    assert set(noted(runtime)) == {again}


def test_a_scan_that_is_over_is_forgotten_and_its_report_kept(runtime):
    """Only what is open is in the file."""
    scan_id = running(runtime)
    final = [row(symbol) for symbol in SYMBOLS]
    runtime.state.write(scan_id, BatchRecords(final=final, waiting=(), number=0))
    report = finish(runtime, scan_id)
    reconcile(runtime)
    assert noted(runtime) == {}
    assert runtime.reports.load(scan_id) == report


def test_a_scan_that_was_open_before_is_noted_by_the_reconciler(runtime):
    """As after an update, or when another machine's control has started it."""
    scan_id = request_scan(runtime, spec_of(runtime))
    reconcile(runtime)
    assert set(noted(runtime)) == {scan_id}


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff"])
def test_a_file_that_cannot_be_read_is_written_anew(runtime, text):
    """It is a help, not a truth."""
    path = runtime.settings.home / "open-scans.json"
    path.parent.mkdir()
    path.write_bytes(text)
    scan_id = running(runtime)
    assert set(noted(runtime)) == {scan_id}


def test_the_file_is_its_owners_alone(runtime):
    """Ids of scans and names of universes are nobody else's business."""
    running(runtime)
    path = runtime.settings.home / "open-scans.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["open-scans.json"]


def test_a_home_that_cannot_be_written_stops_no_scan(runtime):
    """The reconciler goes on without the file."""
    runtime.settings.home.write_text("a file, not a folder")
    scan_id = running(runtime)
    reconcile(runtime)
    assert runtime.state.progress(scan_id).state == "running"


def test_what_is_noted_while_the_reconciler_looks_stays_noted(monkeypatch, runtime):
    """The file is read and written by one thread at a time."""
    ids, listed, threads = [started(runtime, SYMBOLS)], runtime.state.open_scans, []

    def listed_before_another():
        found = listed()
        if not threads:
            ids.append(request_scan(runtime, spec_of(runtime, universe="common")))
            threads.append(threading.Thread(target=remember, args=(runtime, ids[1])))
            threads[0].start()
            threads[0].join(0.3)
        return found

    monkeypatch.setattr(runtime.state, "open_scans", listed_before_another)
    reconcile(runtime)
    threads[0].join(10.0)
    assert set(noted(runtime)) == set(ids)


def test_what_threads_note_at_once_is_all_noted(monkeypatch, runtime):
    """As two scans that are asked for together."""
    read = open_scans._read

    def slowly(current):
        found = read(current)
        time.sleep(0.02)
        return found

    monkeypatch.setattr(open_scans, "_read", slowly)
    ids = [request_scan(runtime, spec_of(runtime, universe=f"u{at}")) for at in range(6)]
    with ThreadPoolExecutor(len(ids)) as pool:
        list(pool.map(lambda one: remember(runtime, one), ids))
    assert set(noted(runtime)) == set(ids)
