"""What a worker process leaves when it dies: given out again, and given up when it kills."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from runtime_builders import messages, runtime_on, started
from scan_builders import ScriptedProvider, absence, row, series

from scanner import keys
from scanner.errors import StoreUnavailable
from scanner.owner import this_machine, this_process
from scanner.results.redis_records import BatchRecords
from scanner.spec import Batch
from worker import take_over as module
from worker import tasks
from worker.finish import finish
from worker.guard import record_batch, redelivered
from worker.take_over import HandOuts, take_over, take_over_at_start

SYMBOLS = ["AAA", "BBB", "CCC"]
NODE = "scan1@here"


@pytest.fixture
def runtime(queue):
    """Return a runtime."""
    return runtime_on(queue, ScriptedProvider({s: series(s, 300) for s in SYMBOLS}))


@pytest.fixture
def scan_id(runtime):
    """Return a scan that runs over three symbols."""
    return started(runtime, SYMBOLS)


def left(queue, scan_id, symbols, owner, deaths=0, number=0, *, again=True):
    """Leave a task as a process that died in it."""
    task = {"by": owner, "symbols": symbols, "deaths": deaths, "again": again}
    queue.hset(keys.under_way(NODE), f"{scan_id}:{number}", orjson.dumps(task))


def taken_over(runtime):
    """Let the next process of the node start; return the scans that may be closed."""
    ended = []
    out = HandOuts(publish=tasks.scan_symbols.delay, close=ended.append, fetch=print)
    take_over(runtime, runtime.state.left_by(NODE), out)
    return ended


def given_out(queue):
    """Return (symbols, deaths) of the tasks on the queue, and empty it."""
    found = [(arguments[2], arguments[3]) for _, arguments in messages(queue, "scan")]
    queue.delete("scan")
    return found


def test_a_task_is_under_way_until_its_records_are_written(queue, runtime, scan_id):
    """Also if its scan is over, or its write is refused."""
    batch = Batch(scan_id=scan_id, number=0, symbols=("AAA",))
    assert runtime.state.begin(batch, NODE) is not None
    (data,) = queue.hgetall(keys.under_way(NODE)).values()
    noted = {"by": this_process(), "symbols": ["AAA"], "deaths": 0, "again": False}
    assert orjson.loads(data) == noted
    record_batch(lambda: runtime, batch, NODE, print)
    assert queue.hgetall(keys.under_way(NODE)) == {}
    runtime.state.stop(scan_id, "enough")
    finish(runtime, scan_id)
    record_batch(lambda: runtime, batch, NODE, print)
    assert queue.hgetall(keys.under_way(NODE)) == {}
    late = BatchRecords(number=0, node=NODE, final=[row("AAA")], waiting=())
    left(queue, scan_id, ["AAA"], "elsewhere/1")
    assert runtime.state.write(scan_id, late) == -1
    assert queue.hgetall(keys.under_way(NODE)) == {}


def test_a_block_of_a_dead_process_goes_out_symbol_by_symbol(queue, runtime, scan_id, dead):
    """Without those that have a record; nobody knows which of them was to blame."""
    record_batch(lambda: runtime, Batch(scan_id=scan_id, number=0, symbols=("BBB",)), NODE, print)
    left(queue, scan_id, SYMBOLS, dead, number=5)
    assert taken_over(runtime) == []
    assert given_out(queue) == [(["AAA"], 0), (["CCC"], 0)]
    fields = runtime.state.progress(scan_id).fields
    assert (fields["batches"], fields["event:republished:dead"]) == ("3", "2")
    assert fields["tasks"] == "2"  # one that died counts as ended
    assert taken_over(runtime) == []
    assert given_out(queue) == []


def test_what_a_dead_process_has_recorded_for_now_is_not_given_out(queue, runtime, scan_id, dead):
    """It waits for the budget or the next round, not for the process."""
    waiting = [absence("BBB", "deferred:budget", final=False)]
    assert runtime.state.write(scan_id, BatchRecords(final=(), waiting=waiting)) == 1
    left(queue, scan_id, SYMBOLS, dead)
    taken_over(runtime)
    assert given_out(queue) == [(["AAA"], 0), (["CCC"], 0)]


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_claim_of_a_dead_process_ends_with_it(queue, runtime, scan_id, dead, cancelled):
    """Else the next task of its symbol would wait for it, of this scan or of another one."""
    request = runtime.state.request(scan_id)
    queue.set(keys.claim(request.source, "AAA"), f"{dead}/77")
    assert not runtime.tools.cache.claim(request, "AAA")
    left(queue, scan_id, ["AAA"], dead)
    if cancelled:
        assert runtime.state.cancel(scan_id, "enough")
    taken_over(runtime)
    assert runtime.tools.cache.claim(request, "AAA")


def test_a_symbol_that_ends_two_processes_alone_is_an_error(queue, runtime, scan_id, dead):
    """And the only one: the scan ends as done."""
    left(queue, scan_id, ["BBB"], dead)
    taken_over(runtime)
    assert given_out(queue) == [(["BBB"], 1)]
    for number, symbol in enumerate(("AAA", "CCC"), 1):
        batch = Batch(scan_id=scan_id, number=number, symbols=(symbol,))
        record_batch(lambda: runtime, batch, NODE, print)
    left(queue, scan_id, ["BBB"], dead, deaths=1, number=3)
    assert taken_over(runtime) == [scan_id]
    assert given_out(queue) == []
    report = finish(runtime, scan_id)
    assert (report.state, report.ledger) == ("done", {"scored": 2, "error:Poison": 1})
    assert "BBB: 2 worker processes have died" in report.find("BBB").reason


def test_a_symbol_that_ran_beside_others_is_not_suspect_yet(queue, runtime, scan_id, dead):
    """By symbol each has a task of its own from the start: four others died with it."""
    left(queue, scan_id, ["BBB"], dead, again=False)
    taken_over(runtime)
    assert given_out(queue) == [(["BBB"], 0)]


def test_a_process_that_lives_keeps_its_tasks(queue, runtime, scan_id):
    """Another stack on this machine may use the same names."""
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        left(queue, scan_id, SYMBOLS, f"{this_machine()}/{other.pid}")
        taken_over(runtime)
        assert given_out(queue) == []
        assert queue.hlen(keys.under_way(NODE)) == 1
    finally:
        other.communicate(b"\n")


def test_tasks_of_a_scan_that_is_over_are_forgotten(queue, runtime, scan_id, dead):
    """Nothing is given out for it."""
    left(queue, scan_id, SYMBOLS, dead)
    left(queue, "gone", SYMBOLS, dead)
    runtime.state.stop(scan_id, "enough")
    finish(runtime, scan_id)
    assert taken_over(runtime) == []
    assert given_out(queue) == []
    assert queue.hlen(keys.under_way(NODE)) == 0


def test_a_block_that_is_delivered_again_is_not_run(queue, runtime, scan_id):
    """It may have ended the process that had it."""
    batch = Batch(scan_id=scan_id, number=0, symbols=tuple(SYMBOLS))
    redelivered(lambda: runtime, batch, NODE, tasks.scan_symbols.delay)
    events = {"redelivered": 1, "republished:redelivered": 3}
    assert runtime.state.progress(scan_id).events == events
    assert given_out(queue) == [([symbol], 0) for symbol in SYMBOLS]
    progress = runtime.state.progress(scan_id)
    assert (progress.recorded, progress.fields["tasks"]) == (0, "1")


def test_what_has_its_record_is_not_run_again(queue, runtime, scan_id, monkeypatch):
    """A message that comes once more after its symbol was given up would end the process again."""
    batch = Batch(scan_id=scan_id, number=0, symbols=("AAA",))
    record_batch(lambda: runtime, batch, NODE, print)
    ran = []
    monkeypatch.setattr("worker.guard.scan_batch", lambda *batch: ran.append(batch))
    again = Batch(scan_id=scan_id, number=1, symbols=("AAA",), again=True)
    record_batch(lambda: runtime, again, NODE, print)
    assert ran == []
    assert queue.hlen(keys.under_way(NODE)) == 0
    assert runtime.state.progress(scan_id).fields["tasks"] == "2"


def test_what_has_seen_a_process_die_runs_alone(runtime, scan_id):
    """Else what dies with a poison symbol twice would be taken for poison too."""
    at_once, most = [], []
    bars = {symbol: series(symbol, 300) for symbol in SYMBOLS}

    def fetch(symbol, _first, _last):
        at_once.append(symbol)
        most.append(len(at_once))
        time.sleep(0.02)
        at_once.remove(symbol)
        return bars[symbol]

    runtime.provider.fetch = fetch
    batches = [
        Batch(scan_id=scan_id, number=number, symbols=(symbol,), deaths=1, again=True)
        for number, symbol in enumerate(SYMBOLS)
    ]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda batch: record_batch(lambda: runtime, batch, NODE, print), batches))
    assert most == [1, 1, 1]


def test_a_scan_that_is_gone_gets_no_field(queue, runtime, scan_id):
    """It would be a hash without a state, and without an end."""
    queue.delete(keys.scan(scan_id))
    assert runtime.state.more_batches(scan_id, 3, "dead") is None
    assert not queue.exists(keys.scan(scan_id))
    queue.hset(keys.scan(scan_id), "batches", 1)
    assert runtime.state.progress(scan_id) is None


def test_the_last_symbol_that_was_given_out_again_ends_the_scan(queue, runtime, scan_id):
    """The chord has lost a part, and its body does not come."""
    ended = []
    for number, symbol in enumerate(SYMBOLS):
        batch = Batch(scan_id=scan_id, number=number, symbols=(symbol,), again=True)
        record_batch(lambda: runtime, batch, NODE, ended.append)
    assert ended == [scan_id]


def test_a_worker_starts_though_its_server_is_away(monkeypatch, runtime):
    """What was left stays for the next start; the reconciler gives it out meanwhile."""

    def away(*_):
        raise StoreUnavailable("look for tasks that were left: no connection")

    monkeypatch.setattr(module, "take_over", away)
    take_over_at_start(lambda: runtime, NODE, HandOuts(publish=print, close=print, fetch=print))
