"""How a scan starts: what is on the queue afterwards, and what the scan's state says."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time

import pytest
from runtime_builders import messages, runtime_on
from scan_builders import AS_OF, LAST, REQUEST, ScriptedMarket, ScriptedProvider, series

from scanner import keys
from scanner.errors import ConfigError, ProviderUnavailable, ScanRunning
from scanner.results.redis_state import CLOSING_LEASE
from scanner.spec import ScanSpec
from scheduler.dispatch import start_scan
from scheduler.planned import plan_scan
from scheduler.request import request_scan, spec_of
from scheduler.sessions import newest_session
from scheduler.universe import resolve

SYMBOLS = ["AAA", "BBB", "CCC", "DDD"]


def provider(symbols=SYMBOLS, **options):
    """Return a provider of so many symbols."""
    return ScriptedProvider({s: series(s) for s in symbols}, **options)


def started(runtime, **changes):
    """Ask for a scan, start it, and return its id."""
    scan_id = request_scan(runtime, spec_of(runtime, **changes))
    start_scan(runtime, scan_id)
    return scan_id


def test_a_scan_that_starts_puts_a_task_on_the_queue_for_each_symbol_to_fetch(queue):
    """In the universe's order, numbered from 0; nothing else is on any queue."""
    runtime = runtime_on(queue, provider())
    scan_id = started(runtime)
    assert messages(queue, "scan") == [
        ("scan_symbols", [scan_id, number, [symbol]]) for number, symbol in enumerate(SYMBOLS)
    ]
    assert messages(queue, "control") == []


def test_symbols_whose_bars_are_cached_go_out_in_blocks(queue):
    """After those to fetch; a block a thread."""
    runtime = runtime_on(queue, provider(), workers=1, threads=1)
    request = plan_scan(runtime, spec_of(runtime)).need.request
    runtime.tools.cache.write(request, [series(s) for s in ("AAA", "CCC", "DDD")])
    started(runtime)
    assert [symbols for _, (_, _, symbols) in messages(queue, "scan")] == [
        ["BBB"],
        ["AAA", "CCC", "DDD"],
    ]


def test_a_started_scan_runs_with_its_plan_in_its_state(queue):
    """Bars, batches, calls, and a deadline of at least the setting's seconds."""
    runtime = runtime_on(queue, provider(), deadline=200)
    scan_id = started(runtime)
    progress = runtime.state.progress(scan_id)
    assert (progress.state, progress.total, progress.recorded) == ("running", 4, 0)
    assert {n: progress.fields[n] for n in ("batches", "calls", "first", "last")} == {
        "batches": "4",
        "calls": "4",
        "first": str(LAST - 400),
        "last": str(LAST),
    }
    assert float(progress.fields["seconds:plan"]) > 0.0
    assert float(progress.fields["seconds:enqueue"]) > 0.0
    assert runtime.state.open_scans()[scan_id] == pytest.approx(time.time() + 200, abs=10)
    assert runtime.state.request(scan_id).source == "test-1"


def test_a_long_scan_gets_three_times_its_planned_seconds(queue):
    """And keeps its universe as long."""
    runtime = runtime_on(queue, provider(), rate="1/minute", deadline=5)
    scan_id = started(runtime)
    assert runtime.state.open_scans()[scan_id] == pytest.approx(time.time() + 540, abs=10)
    assert 530 < queue.ttl(keys.lock("test-1", "all")) <= 541 + CLOSING_LEASE


def test_what_is_no_symbol_is_an_absence_and_gets_no_task(queue):
    """The universe of the scan still has it, so that the ledger adds up."""
    runtime = runtime_on(queue, provider(["AAA", "B B", "../etc", "CCC"]))
    scan_id = started(runtime)
    found = runtime.state.collect(scan_id)
    assert set(found.universe) == {"AAA", "B B", "../etc", "CCC"}
    assert {s: r.state for s, r in found.records.items()} == {
        "B B": "error:InvalidSymbol",
        "../etc": "error:InvalidSymbol",
    }
    assert [symbols for _, (_, _, symbols) in messages(queue, "scan")] == [["AAA"], ["CCC"]]


def test_a_message_to_start_that_comes_twice_starts_one_scan(queue):
    """Nor does one of a scan that is over or was never there."""
    runtime = runtime_on(queue, provider())
    scan_id = started(runtime)
    start_scan(runtime, scan_id)
    start_scan(runtime, "nobody")
    assert len(messages(queue, "scan")) == len(SYMBOLS)
    runtime.state.cancel(scan_id, "interrupted")
    start_scan(runtime, scan_id)
    assert len(messages(queue, "scan")) == len(SYMBOLS)


def test_of_two_that_start_a_scan_at_once_one_publishes_it(queue, monkeypatch):
    """Both have planned it."""
    runtime = runtime_on(queue, provider())
    start = runtime.state.start
    monkeypatch.setattr(runtime.state, "start", lambda *args: start(*args) and start(*args))
    assert runtime.state.progress(started(runtime)).state == "running"
    assert messages(queue, "scan") == []


class Broken(ScriptedProvider):
    """Cannot list its universe."""

    def symbols(self, universe):
        """Raise what a provider that is down raises."""
        raise ProviderUnavailable("the market is down")


def test_a_scan_that_cannot_be_planned_fails_with_the_reason(queue):
    """Its report says so, nothing is queued, the universe is free."""
    runtime = runtime_on(queue, Broken())
    scan_id = started(runtime)
    report = runtime.reports.load(scan_id)
    assert (report.state, report.facts.message) == ("failed", "the market is down")
    assert (runtime.state.progress(scan_id).state, messages(queue, "scan")) == ("failed", [])
    request_scan(runtime, spec_of(runtime))


def test_a_control_worker_with_other_bars_fails_the_scan(queue):
    """Rather than scan another market under the name of the first."""
    runtime = runtime_on(queue, provider())
    spec = ScanSpec(source="polygon-1", universe="all", lookback_days=400)
    scan_id = request_scan(runtime, spec)
    start_scan(runtime, scan_id)
    assert "polygon-1" in runtime.reports.load(scan_id).facts.message


def test_a_request_is_what_the_settings_say_but_for_what_was_given(queue):
    """Universe and session."""
    runtime = runtime_on(queue, universe="common", lookback_days=30, batch_size=5)
    assert spec_of(runtime) == ScanSpec(
        source="test-1", universe="common", lookback_days=30, batch_size=5, fetch="auto"
    )
    changed = spec_of(runtime, universe="all", as_of=AS_OF)
    assert (changed.universe, changed.as_of) == ("all", AS_OF)


def test_a_second_request_names_the_scan_that_runs(queue):
    """From its opening on."""
    runtime = runtime_on(queue, provider())
    scan_id = request_scan(runtime, spec_of(runtime))
    with pytest.raises(ScanRunning) as caught:
        request_scan(runtime, spec_of(runtime))
    assert caught.value.scan_id == scan_id


@pytest.mark.parametrize(
    ("asked", "clock", "expected"),
    [
        (dt.date(2025, 7, 1), AS_OF, dt.date(2025, 7, 1)),
        (None, AS_OF, AS_OF),
        (None, None, None),
    ],
)
@pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")
def test_as_of_is_what_was_asked_for_else_the_provider_s_clock_else_the_exchange_s(
    queue, asked, clock, expected
):
    """In this order."""
    runtime = runtime_on(queue, provider(session=clock))
    request = plan_scan(runtime, spec_of(runtime, as_of=asked)).need.request
    last = expected or newest_session(runtime.settings, runtime.provider)
    assert (request.last - LAST, request.last - request.first) == ((last - AS_OF).days, 400)


def test_a_preview_counts_calls_and_starts_nothing(queue):
    """What is cached costs nothing."""
    runtime = runtime_on(queue, provider(), rate="2/minute")
    runtime.tools.cache.write(REQUEST, [])
    plan = plan_scan(runtime, spec_of(runtime)).plan
    assert (plan.calls, plan.seconds) == (4, 180.0)
    assert messages(queue, "scan") == []
    assert runtime.state.open_scans() == {}


def test_an_empty_universe_is_refused_and_not_kept(queue):
    """The next scan asks again."""
    runtime = runtime_on(queue, ScriptedMarket({}))
    with pytest.raises(ConfigError, match="'all' is empty"):
        resolve(runtime, "all")
    assert queue.keys("*") == []


def test_a_universe_in_a_file_is_read_from_it(queue, tmp_path):
    """The provider is not asked."""
    path = tmp_path / "mine.txt"
    path.write_text("BBB\nAAA\n")
    assert resolve(runtime_on(queue, Broken()), str(path)).symbols == ["BBB", "AAA"]


def test_the_end_of_a_chord_is_its_errback_too(queue):
    """What fails the chord for good closes the scan, or leaves it to the reconciler."""
    scan_id = started(runtime_on(queue, provider()))
    for message in queue.lrange("scan", 0, -1):
        _, _, embedded = json.loads(base64.b64decode(json.loads(message)["body"]))
        (errback,) = embedded["chord"]["options"]["link_error"]
        assert (errback["task"], errback["args"]) == ("finish_scan", [scan_id])
        assert errback["immutable"]
