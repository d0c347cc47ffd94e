"""From a batch to records and from records to one report, by the functions behind the tasks."""

from __future__ import annotations

import time

import pytest
from runtime_builders import messages, runtime_on, started
from scan_builders import AS_OF, LAST, ScriptedProvider, absence, row, series

from scanner import keys
from scanner.errors import KeyRefused, ProviderUnavailable, RateLimited, StoreUnavailable
from scanner.indicators.compute import KernelEngine
from scanner.results.redis_records import BatchRecords
from scanner.results.report import Absence
from scanner.results.wire import encode_report
from scanner.spec import Batch
from scheduler.request import request_scan, spec_of
from worker import tasks
from worker.finish import finish
from worker.guard import record_batch
from worker.rounds import second_round, unfinished

SYMBOLS = ["AAA", "BBB", "CCC"]


def running(queue, answers=None, engine=None, source="test-1"):
    """Return a runtime and the id of a scan that runs over SYMBOLS."""
    given = {symbol: series(symbol, 300) for symbol in SYMBOLS} | (answers or {})
    runtime = runtime_on(queue, ScriptedProvider(given), engine)
    return runtime, started(runtime, SYMBOLS, source=source)


def record(runtime, scan_id, symbols=SYMBOLS):
    """Record a batch and return the ids of scans that were to be stopped."""
    stopped = []
    batch = Batch(scan_id=scan_id, number=0, symbols=tuple(symbols))
    record_batch(lambda: runtime, batch, "scan1@here", stopped.append)
    return stopped


def write(runtime, scan_id, *final, waiting=(), number=-1):
    """Write records as a task does."""
    runtime.state.write(scan_id, BatchRecords(final=final, waiting=waiting, number=number))


class Fatal(KernelEngine):
    """Raises what no block may catch."""

    def __init__(self, error):
        self.error = error

    def compute(self, block, columns):
        """Raise the error."""
        raise self.error


def test_a_batch_ends_as_records_and_counters(queue):
    """Rows are final, what may change waits, and the thread is named once."""
    runtime, scan_id = running(queue, {"BBB": ProviderUnavailable("down")})
    assert record(runtime, scan_id) == []
    found, fields = runtime.state.collect(scan_id), runtime.state.progress(scan_id).fields
    assert set(found.records) == {"AAA", "CCC"}
    assert found.waiting["BBB"].state == "error:ProviderUnavailable"
    assert float(fields["bars:fetched"]) == 2
    assert float(fields["seconds:bars"]) > 0.0
    assert float(fields["tasks"]) == 1
    assert [float(v) for n, v in fields.items() if n.startswith("by:")] == [3]


def test_what_is_deferred_is_counted_by_its_reason(queue):
    """Each try of it."""
    limited = {s: RateLimited("the plan is used up", wait=9.0) for s in SYMBOLS[:2]}
    runtime, scan_id = running(queue, limited)
    record(runtime, scan_id)
    deferred = runtime.state.progress(scan_id).events
    assert deferred == {"deferred:budget": 3}  # the third was not even tried


def test_a_message_that_comes_twice_changes_no_record(queue):
    """A redelivered task reads the cache and is refused."""
    runtime, scan_id = running(queue)
    record(runtime, scan_id)
    first = runtime.state.collect(scan_id)
    record(runtime, scan_id)
    assert runtime.state.collect(scan_id) == first
    assert runtime.provider.asked == SYMBOLS


def test_a_batch_of_a_scan_that_is_over_asks_nobody(queue):
    """Nor does one of a scan that was never there."""
    runtime, scan_id = running(queue)
    runtime.state.cancel(scan_id, "interrupted")
    record(runtime, scan_id)
    record(runtime, "nobody")
    assert runtime.provider.asked == []
    assert runtime.state.progress(scan_id).events == {"late": 1}
    assert runtime.state.progress("nobody") is None


def test_a_refused_key_stops_the_scan_and_calls_for_its_end_once(queue):
    """The second batch finds it closing."""
    runtime, scan_id = running(queue, {"AAA": KeyRefused("the key is wrong")})
    assert record(runtime, scan_id) == [scan_id]
    assert record(runtime, scan_id) == []
    report = finish(runtime, scan_id)
    assert (report.state, report.facts.message) == ("failed", "the key is wrong")
    assert report.ledger == {"scored": 0, "deferred:stopped": 3}


def test_a_worker_with_other_bars_refuses_the_scan(queue):
    """Its rows would be of another market."""
    runtime, scan_id = running(queue, source="simulator-2")
    assert record(runtime, scan_id) == [scan_id]
    message = runtime.state.progress(scan_id).fields["message"]
    assert "simulator-2" in message
    assert "test-1" in message


@pytest.mark.parametrize("error", [SystemExit(3), MemoryError("full"), KeyboardInterrupt()])
def test_nothing_gets_out_of_a_task(queue, error):
    """Not even what would end the process; each symbol names it."""
    runtime, scan_id = running(queue, engine=Fatal(error))
    record(runtime, scan_id)
    states = {one.state for one in runtime.state.collect(scan_id).records.values()}
    assert states == {f"error:{type(error).__name__}"}
    assert len(runtime.state.collect(scan_id).records) == 3


def test_a_task_that_redis_refuses_ends_without_records(queue):
    """What cannot be written is given out again by the reconciler."""
    runtime, scan_id = running(queue)
    queue.lpush(keys.bars("test-1", "1d", "BBB"), "a list where bytes belong")
    record(runtime, scan_id)
    assert runtime.state.progress(scan_id).state == "running"


def test_a_complete_scan_is_closed_with_its_report(queue):
    """Facts, ledger, state, and the universe is free again."""
    runtime, scan_id = running(queue, {"CCC": series("CCC", 300, last=LAST - 2)})
    record(runtime, scan_id)
    report = finish(runtime, scan_id)
    assert (report.state, report.ledger) == ("done", {"scored": 2, "stale": 1})
    assert (report.facts.as_of, report.facts.lookback_days) == (AS_OF, 399)
    assert (report.facts.processes, report.facts.threads) == (1, 1)
    assert report.facts.bars == {"absent": 3, "fetched": 3}
    assert report.facts.stages["total"] >= report.facts.stages["aggregate"] >= 0.0
    assert runtime.reports.load(scan_id) == report
    assert runtime.state.progress(scan_id).state == "done"
    assert runtime.state.open_scans() == {}
    request_scan(runtime, spec_of(runtime))


def test_a_scan_is_closed_once_however_often_it_is_asked(queue):
    """By the chord, the reconciler, and both again."""
    runtime, scan_id = running(queue)
    record(runtime, scan_id)
    assert finish(runtime, scan_id) is not None
    assert finish(runtime, scan_id) is None
    assert finish(runtime, scan_id, at_deadline=True) is None


def test_a_scan_goes_on_while_symbols_are_missing_or_deferred(queue):
    """Both are given out again before the deadline."""
    runtime, scan_id = running(queue, {"BBB": RateLimited("slow", wait=60.0)})
    record(runtime, scan_id, ["AAA", "BBB"])
    assert finish(runtime, scan_id) is None
    found = unfinished(runtime, scan_id, runtime.state.progress(scan_id))
    assert (found.symbols, found.waits, found.tried) == (["BBB", "CCC"], True, False)
    second_round(runtime, scan_id, pytest.fail)
    assert runtime.state.progress(scan_id).state == "running"


def test_at_its_deadline_a_scan_is_closed_with_what_is_there(queue):
    """Degraded, and the ledger still sums to the universe."""
    runtime, scan_id = running(queue, {"BBB": RateLimited("slow", wait=60.0)})
    record(runtime, scan_id, ["AAA", "BBB"])
    report = finish(runtime, scan_id, at_deadline=True)
    expected = {"scored": 1, "deferred:budget": 1, "deferred:unfinished": 1}
    assert (report.state, report.ledger) == ("degraded", expected)


def test_a_symbol_that_was_tried_in_vain_has_one_more_round(queue, monkeypatch):
    """At once, when nothing else is left; then it does not hold up the end."""
    runtime, scan_id = running(queue)
    down = absence("CCC", "error:ProviderUnavailable", final=False)
    write(runtime, scan_id, row("AAA"), row("BBB"), waiting=[down], number=0)
    assert finish(runtime, scan_id) is None
    monkeypatch.setattr("worker.runtime.current", lambda: runtime)
    tasks.finish_scan.run(scan_id)
    ((name, given),) = messages(queue, "scan")
    assert (name, given) == ("scan_symbols", [scan_id, 1, ["CCC"], 0])
    second_round(runtime, scan_id, pytest.fail)
    ended: list[str] = []
    runtime = runtime_on(queue, ScriptedProvider({"CCC": ProviderUnavailable("down")}))
    batch = Batch(scan_id=scan_id, number=1, symbols=("CCC",), again=True)
    record_batch(lambda: runtime, batch, "one", ended.append)
    assert ended == [scan_id]
    report = finish(runtime, scan_id)
    assert (report.state, report.ledger) == (
        "degraded",
        {"scored": 2, "error:ProviderUnavailable": 1},
    )
    assert isinstance(report.find("CCC"), Absence)


def test_a_second_scan_names_what_entered_and_what_left(queue):
    """Against the last complete one of the same source."""
    runtime, first = running(queue)
    record(runtime, first)
    assert finish(runtime, first).screens["all"].entered == ()
    runtime, second = running(queue, {"BBB": series("BBB", 300, last=LAST - 1)})
    write(runtime, second, row("AAA"), absence("BBB"), row("CCC"))
    screen = finish(runtime, second).screens["all"]
    assert (screen.entered, screen.left) == ((), ("BBB",))


def test_a_scan_that_is_gone_is_forgotten(queue):
    """The reconciler does not come back to it."""
    runtime, scan_id = running(queue)
    queue.delete(keys.scan(scan_id))
    assert finish(runtime, scan_id) is None
    assert runtime.state.open_scans() == {}


def test_the_error_of_a_store_is_no_record(queue):
    """Whether it was Redis' fault is not the symbols'."""
    runtime, scan_id = running(queue, engine=Fatal(StoreUnavailable("away", passes=False)))
    record(runtime, scan_id)
    assert {r.final for r in runtime.state.collect(scan_id).records.values()} == set()


def test_a_batch_waits_for_a_store_that_comes_back(queue, monkeypatch):
    """Its records are written then; nobody has to give it out again."""
    runtime, scan_id = running(queue)
    write, failed = runtime.state.write, []

    def away_once(*args):
        if not failed:
            failed.append(args)
            raise StoreUnavailable("write records: no connection")
        return write(*args)

    monkeypatch.setattr(runtime.state, "write", away_once)
    record(runtime, scan_id)
    assert failed
    assert len(runtime.state.collect(scan_id).records) == 3
    assert queue.hlen(keys.under_way("")) == 0


def test_a_second_closer_writes_the_same_bytes(queue, monkeypatch):
    """The first one died when it had made the report; its lease has ended since."""
    runtime, scan_id = running(queue)
    record(runtime, scan_id)
    made = []

    class Dead(BaseException):
        """Ends a process in the middle."""

    def save(_store, report):
        made.append(encode_report(report))
        raise Dead

    with monkeypatch.context() as patch:
        patch.setattr(type(runtime.reports), "save", save)
        with pytest.raises(Dead):
            finish(runtime, scan_id)
    assert finish(runtime, scan_id) is None
    queue.hset(keys.scan(scan_id), "closing_until", 0)
    time.sleep(0.01)
    report = finish(runtime, scan_id)
    assert queue.get(keys.report(scan_id)) == made[0]
    assert {"aggregate", "total"} <= report.facts.stages.keys()
    assert runtime.reports.load(scan_id) == report
