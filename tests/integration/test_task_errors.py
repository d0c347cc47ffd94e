"""What fails around the work of a task: nothing gets out, and what passes is waited for."""

from __future__ import annotations

import pytest
from market_days import asked, market_of, runtime_of, work
from runtime_builders import away_once, runtime_on, started
from scan_builders import ScriptedProvider, series
from structlog.testing import capture_logs

from scanner import keys
from scanner.errors import ConfigError, KeyRefused, StoreUnavailable
from scanner.spec import Batch, Fetch
from scheduler.dispatch import start_scan
from scheduler.request import request_scan, spec_of
from worker.guard import guarded, guarded_sample, record_batch, redelivered
from worker.take_over import give_out

NODE = "scan1@here"
SYMBOLS = ["AAA", "BBB", "CCC"]
BLOCK = Batch(scan_id="s1", number=0, symbols=tuple(SYMBOLS))
SPLITS = Fetch(scan_id="s1", what="splits", task="fetch_splits", arguments=())


@pytest.fixture
def runtime(queue):
    """Return a runtime of three symbols."""
    return runtime_on(queue, ScriptedProvider({s: series(s, 300) for s in SYMBOLS}))


@pytest.fixture
def block(runtime):
    """Return the one batch of a scan that runs."""
    return Batch(scan_id=started(runtime, SYMBOLS), number=0, symbols=tuple(SYMBOLS))


def failing(error):
    """Return what raises `error`, whatever it is given."""

    def fail(*_, **__):
        raise error

    return fail


@pytest.mark.parametrize(
    "error", [ConfigError("no such setting"), SystemExit(3), MemoryError("full")]
)
@pytest.mark.parametrize(
    "task",
    [
        lambda current: record_batch(current, BLOCK, NODE, print),
        lambda current: redelivered(current, BLOCK, NODE, print),
        lambda current: guarded(current, SPLITS, NODE, print, print),
        lambda current: guarded_sample(current, "s1", SYMBOLS),
    ],
)
def test_a_worker_that_cannot_make_its_runtime_goes_on(task, error):
    """A task that raised would break its chord, or leak its thread's slot."""
    with capture_logs() as told:
        task(failing(error))
    assert repr(error) in [one.get("cause") for one in told]


@pytest.mark.parametrize("error", [ValueError("no such bar"), SystemExit(3), MemoryError("full")])
def test_what_fails_before_a_batch_is_scanned_is_the_error_of_its_symbols(
    monkeypatch, runtime, block, error
):
    """The scan names it, and does not wait until its deadline for records that never come."""
    monkeypatch.setattr(runtime.state, "begin", failing(error))
    record_batch(lambda: runtime, block, NODE, print)
    records = runtime.state.collect(block.scan_id).records
    states = {symbol: one.state for symbol, one in records.items()}
    assert states == dict.fromkeys(SYMBOLS, f"error:{type(error).__name__}")


def test_errors_that_cannot_be_written_are_logged(monkeypatch, runtime, block):
    """Redis is away too by then; the reconciler gives the symbols out again."""
    monkeypatch.setattr(runtime.state, "begin", failing(ValueError("no such bar")))
    monkeypatch.setattr(runtime.state, "write", failing(StoreUnavailable("no connection")))
    with capture_logs() as told:
        record_batch(lambda: runtime, block, NODE, print)
    assert [one["event"] for one in told] == ["batch failed", "records lost"]


def test_a_scan_that_two_batches_would_stop_is_stopped_once(monkeypatch, runtime, block):
    """By the first of them, with its reason; all threads find the key refused at once."""
    ended = []

    def refused(symbol, *_):
        runtime.state.stop(block.scan_id, "the first reason")
        raise KeyRefused(f"the second reason, by {symbol}")

    monkeypatch.setattr(runtime.provider, "fetch", refused)
    record_batch(lambda: runtime, block, NODE, ended.append)
    assert ended == []
    assert runtime.state.progress(block.scan_id).fields["message"] == "the first reason"


def test_a_batch_that_stops_its_scan_is_not_under_way_any_more(queue, runtime, block):
    """Else it would be taken over when its process has ended, for a scan that is over."""
    runtime.provider.answers["AAA"] = KeyRefused("the key is wrong")
    ended = []
    record_batch(lambda: runtime, block, NODE, ended.append)
    assert ended == [block.scan_id]
    assert queue.exists(keys.under_way(NODE)) == 0


@pytest.mark.parametrize("step", ["unrecorded", "more_batches", "write"])
def test_a_block_that_comes_again_waits_for_redis(monkeypatch, runtime, block, step):
    """Its symbols are given out as soon as that is back, not when the scan has stalled."""
    failed = away_once(monkeypatch, runtime.state, step)
    given = []
    redelivered(lambda: runtime, block, NODE, lambda *task: given.append(task[2]))
    assert failed == [step]
    assert given == [[symbol] for symbol in SYMBOLS]
    assert runtime.state.progress(block.scan_id).fields["tasks"] == "1"


@pytest.mark.parametrize("step", ["wants_sessions", "begin_fetch", "count_fetched", "end_fetch"])
def test_a_session_waits_for_redis(queue, monkeypatch, step):
    """It is fetched as soon as that is back, not in the reconciler's next round."""
    market = market_of()
    runtime = runtime_of(queue, market)
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    failed = away_once(monkeypatch, runtime.state, step)
    work(queue, monkeypatch, runtime)
    assert failed == [step]
    assert len(set(asked(market))) == 10
    fields = runtime.state.progress(scan_id).fields
    assert int(fields["sessions_done"]) >= int(fields["sessions"])
    assert queue.keys(keys.ALL_UNDER_WAY) == []


@pytest.mark.parametrize("over", [False, True])
def test_a_sample_of_a_scan_that_compares_nothing_is_passed_over(runtime, block, over):
    """It fetches by symbol, or is over: that is no error, and costs no request."""
    if over:
        assert runtime.state.cancel(block.scan_id, "enough")
    with capture_logs() as told:
        guarded_sample(lambda: runtime, block.scan_id, SYMBOLS)
    assert told == []
    assert runtime.provider.asked == []


def test_nothing_is_given_out_for_a_scan_that_is_gone(runtime):
    """It went while somebody looked for what is missing; workers would count its tasks as late."""
    given = []
    give_out(runtime, "gone", SYMBOLS, lambda *task: given.append(task), why="reconciled")
    assert given == []
