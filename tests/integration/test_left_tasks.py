"""What dead processes of any name leave: sessions that they fetched, tasks that nobody takes up."""

from __future__ import annotations

import secrets
import time

import orjson
import pytest
from market_days import asked, market_of, runtime_of, work
from runtime_builders import messages
from scan_builders import LAST

from scanner import keys
from scanner.bars.store import MarketStore
from scanner.errors import StoreUnavailable
from scanner.owner import this_machine, this_process
from scanner.spec import Batch
from scheduler.dispatch import start_scan
from scheduler.reconcile import reconcile
from scheduler.request import request_scan, spec_of
from worker.finish import finish
from worker.market import Wanted, keep_session
from worker.take_over import MOST_FETCH_DEATHS, take_over
from worker.tasks import hand_outs

NODE, DAY, SESSION = "scan1@here", "2025-07-02", "'session': 20271"


@pytest.fixture
def market():
    """Return a market of twelve symbols."""
    return market_of()


@pytest.fixture
def runtime(queue, market):
    """Return a runtime that asks for sessions."""
    return runtime_of(queue, market)


def fetched_but_one(queue, monkeypatch, runtime, owner):
    """Return a scan whose sessions came, but for the one with which its process died."""
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    found = zip(queue.lrange("scan", 0, -1)[::-1], messages(queue, "scan"), strict=True)
    ((message, (name, arguments)),) = ((m, sent) for m, sent in found if SESSION in str(sent))
    queue.lrem("scan", 1, message)
    work(queue, monkeypatch, runtime)
    task = {"by": owner, "task": name, "arguments": arguments[1:]}
    queue.hset(keys.under_way(NODE), f"{scan_id}:{DAY}", orjson.dumps(task))
    queue.set(keys.claim(runtime.source, DAY), f"{owner}/{secrets.token_hex(4)}", ex=60)
    return scan_id


def test_a_session_of_a_dead_process_is_fetched_again(queue, monkeypatch, runtime, market, dead):
    """By the next process of its name, and the scan goes on."""
    scan_id = fetched_but_one(queue, monkeypatch, runtime, dead)
    asked(market)
    take_over(runtime, runtime.state.left_by(NODE), hand_outs())
    assert queue.hlen(keys.under_way(NODE)) == 0
    work(queue, monkeypatch, runtime)
    assert asked(market) == [DAY]
    start_scan(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    assert finish(runtime, scan_id).ledger == {"scored": 12}


def test_a_session_that_ends_many_processes_fails_its_scan(queue, monkeypatch, runtime, dead):
    """Each of them would fetch it again until the deadline."""
    scan_id = fetched_but_one(queue, monkeypatch, runtime, dead)
    ((field, task),) = queue.hgetall(keys.under_way(NODE)).items()
    for died in range(1, MOST_FETCH_DEATHS + 1):
        queue.hset(keys.under_way(NODE), field, task)
        take_over(runtime, runtime.state.left_by(NODE), hand_outs())
        assert len(messages(queue, "scan")) == (died < MOST_FETCH_DEATHS)
        queue.delete("scan")
    reconcile(runtime)
    report = runtime.reports.load(scan_id)
    assert report.state == "failed"
    assert f"{DAY}: 10 worker processes have died while they fetched it" in report.facts.message


def test_nothing_is_fetched_again_for_a_scan_that_is_over(queue, monkeypatch, runtime, dead):
    """Its claim is free nevertheless: another scan may want the session."""
    scan_id = fetched_but_one(queue, monkeypatch, runtime, dead)
    assert runtime.state.cancel(scan_id, "enough")
    take_over(runtime, runtime.state.left_by(NODE), hand_outs())
    assert messages(queue, "scan") == []
    assert queue.exists(keys.claim(runtime.source, DAY)) == 0
    assert queue.hlen(keys.under_way(NODE)) == 0


def test_what_a_process_fetches_is_not_taken_for_lost(queue, monkeypatch, runtime):
    """Unless it never ends; then it may be gone with its machine."""
    owner = f"elsewhere/{this_process()}"
    fetched_but_one(queue, monkeypatch, runtime, owner)
    queue.delete(keys.claim(runtime.source, DAY))
    monkeypatch.setattr("scheduler.reconcile.LOST_AFTER", 0.0)
    reconcile(runtime)
    reconcile(runtime)
    assert messages(queue, "scan") == []
    queue.delete(keys.under_way(NODE))
    reconcile(runtime)
    assert [SESSION in str(sent) for sent in messages(queue, "scan")] == [True]


def test_what_two_take_over_is_given_out_once(queue, monkeypatch, runtime, dead):
    """The next process of a name and the reconciler may find it at the same time."""
    fetched_but_one(queue, monkeypatch, runtime, dead)
    by_name, by_place = runtime.state.left_by(NODE), runtime.state.left_here()
    assert by_name == by_place != []
    take_over(runtime, by_name, hand_outs())
    take_over(runtime, by_place, hand_outs())
    assert len(messages(queue, "scan")) == 1


def test_a_claim_of_another_process_is_kept(queue, monkeypatch, runtime, dead):
    """It has taken over what the dead one had claimed."""
    fetched_but_one(queue, monkeypatch, runtime, dead)
    queue.set(keys.claim(runtime.source, DAY), f"{this_process()}/1")
    take_over(runtime, runtime.state.left_by(NODE), hand_outs())
    assert queue.exists(keys.claim(runtime.source, DAY)) == 1


def test_a_fetch_is_under_way_until_it_has_ended(queue, monkeypatch, runtime, market):
    """Whatever becomes of it."""
    seen = []
    monkeypatch.setattr(market, "splits", lambda *_: seen.append(queue.hkeys(keys.under_way(""))))
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    work(queue, monkeypatch, runtime)
    assert seen == [[f"{scan_id}:splits".encode()]]
    assert queue.keys(keys.ALL_UNDER_WAY) == []


def test_the_reconciler_takes_over_for_a_process_that_does_not_come_back(queue, runtime, dead):
    """Of its own machine; of another one it cannot know who lives."""
    scan_id = request_scan(runtime, spec_of(runtime))
    fields = {"source": runtime.source, "universe": "all", "timeframe": "1d", "first": 1, "last": 2}
    assert runtime.state.start(scan_id, ["AAA", "BBB"], 4e9, fields | {"batches": 2})
    owners = [(dead, "AAA"), (f"elsewhere/{dead.rpartition('/')[2]}", "BBB")]
    for number, (owner, symbol) in enumerate(owners):
        task = {"by": owner, "symbols": [symbol], "deaths": 0, "again": True}
        queue.hset(keys.under_way(f"scan{number}@gone"), f"{scan_id}:{number}", orjson.dumps(task))
    runtime.state.begin(Batch(scan_id=scan_id, number=5, symbols=("CCC",)), "scan7@here")
    reconcile(runtime)
    reconcile(runtime)
    assert [arguments[2:] for _, arguments in messages(queue, "scan")] == [[["AAA"], 1]]
    assert queue.hlen(keys.under_way("scan1@gone")) == 1


def test_a_session_that_could_not_be_given_up_is_still_its_thread_s(runtime, market, monkeypatch):
    """Redis was away: the task that does its work again must not wait for itself."""
    wanted = Wanted(session=LAST, asked_at=100.0, good_from=90.0, expiry=100, may_be_empty=False)

    def away(*_, **__):
        raise StoreUnavailable("no connection")

    with monkeypatch.context() as patch:
        patch.setattr("worker.market.release", away)
        patch.setattr(MarketStore, "write", away)
        with pytest.raises(StoreUnavailable):
            keep_session(runtime, wanted)
    began = time.monotonic()
    keep_session(runtime, wanted)
    assert time.monotonic() - began < 30.0
    assert asked(market) == ["2025-07-09", "2025-07-09"]
    assert runtime.redis.keys("ms1:claim:test-1:*") == []


@pytest.mark.parametrize("pid", ["", "none", "9" * 40])
def test_a_process_that_cannot_be_is_dead(queue, runtime, pid):
    """Whoever has written it."""
    task = {"by": f"{this_machine()}/{pid}", "symbols": ["AAA"], "deaths": 0, "again": True}
    queue.hset(keys.under_way(NODE), "scan:0", orjson.dumps(task))
    assert len(runtime.state.left_here()) == 1
    reconcile(runtime)
    assert queue.exists(keys.under_way(NODE)) == 0


@pytest.mark.parametrize(
    "data",
    [
        "[1]",
        "{}",
        "no JSON",
        '{"by": "a/1"}',
        '{"by": 1, "symbols": 2, "deaths": 0, "again": true}',
        '{"by": "a/1", "symbols": ["AAA", "B:B"], "deaths": 0, "again": true}',
        '{"by": "a/1", "task": "start_scan", "arguments": ["scan"]}',
    ],
)
def test_what_is_not_ours_among_the_tasks_is_passed_over(queue, runtime, data):
    """Who can write there must not keep scans from being closed."""
    for name in ("scan:0", "scan:none", "", "scan:2025-07-02"):
        queue.hset(keys.under_way(NODE), name, data)
    assert runtime.state.left_by(NODE) == runtime.state.left_here() == []
    assert runtime.state.under_way("scan") == 0
    reconcile(runtime)


@pytest.mark.parametrize("name", ["scan:records:0", "a scan:0", "*:0"])
def test_a_task_of_what_is_no_scan_is_passed_over(queue, runtime, name):
    """Its key would be that of something else."""
    task = {"by": "a/1", "symbols": ["AAA"], "deaths": 0, "again": True}
    queue.hset(keys.under_way(NODE), name, orjson.dumps(task))
    assert runtime.state.left_by(NODE) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda queue: queue.hset(f"{keys.under_way('')}a b", "scan:1", "{}"),
        lambda queue: queue.hset(b"ms1:under_way:\xff", "scan:1", "{}"),
        lambda queue: queue.set(keys.under_way("a"), "a text"),
        lambda queue: queue.rpush(keys.under_way("a"), "a list"),
    ],
)
def test_keys_that_are_not_ours_hide_no_task(queue, runtime, dead, spoil):
    """What dead processes have left is found beside them, and what is under way."""
    task = {"by": dead, "symbols": ["AAA"], "deaths": 0, "again": True}
    queue.hset(keys.under_way(NODE), "scan:0", orjson.dumps(task))
    spoil(queue)
    assert [one.node for one in runtime.state.left_here()] == [NODE]
    assert runtime.state.under_way("scan") == 1


def test_what_was_begun_again_since_is_not_taken_away(queue, runtime, dead):
    """The entry is of a process that lives by now; it would not be found when that one dies."""
    task = {"by": dead, "symbols": ["AAA"], "deaths": 0, "again": True}
    queue.hset(keys.under_way(NODE), "scan:0", orjson.dumps(task))
    (left,) = runtime.state.left_by(NODE)
    runtime.state.begin(Batch(scan_id="scan", number=0, symbols=("AAA",)), NODE)
    assert not runtime.state.take(left)
    assert runtime.state.under_way("scan") == 1
