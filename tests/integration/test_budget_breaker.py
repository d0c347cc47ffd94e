"""A provider that fails too often is left alone by all processes, on a real Valkey."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import ExitStack

import orjson
import pytest
import redis
import requests
from bars_builders import FIRST, LAST
from budget_builders import BREAKER, PROVIDER, let_time_pass, until
from process_fixtures import free_port, running_simulator, running_valkey

from scanner.bars import polygon_http
from scanner.bars.budget import FREE, Token
from scanner.bars.polygon import PolygonProvider
from scanner.bars.redis_budget import Breaker, RedisBudget
from scanner.errors import ProviderPaused, ProviderUnavailable, RateLimited, ScannerError

RULES = Breaker(failures=3, pause=5.0, longest=12.0, lease=30.0)
CLEAN, PROBE = Token(), Token(failures=3, probe=True)
GOOD = orjson.dumps({"ticker": "AAA", "resultsCount": 0, "status": "OK"})

#: One process of two threads: fetches until its input ends; counts what each fetch came to.
FETCH = """
import datetime as dt, sys, threading, redis
from scanner.bars import polygon_http
from scanner.bars.polygon import PolygonProvider
from scanner.bars.redis_budget import RedisBudget
from scanner.errors import ProviderUnavailable

polygon_http.BACKOFF = 0.05
url, base_url = sys.argv[1:]
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
client = redis.Redis.from_url(url)
provider = PolygonProvider(base_url=base_url, key=None, threads=2, time_budget=60.0,
                           budget=RedisBudget(client, "tested", None))

def fetch():
    while not over.is_set():
        try:
            provider.fetch("AAA", dt.date(2025, 6, 2), dt.date(2025, 7, 9))
            came = "answer"
        except ProviderUnavailable as error:
            came = type(error).__name__
        client.hincrby("came", came, 1)
        over.wait(0.05)

for _ in range(2):
    threading.Thread(target=fetch).start()
"""


@pytest.fixture
def budgets(client):
    """Return the budgets of two processes, as it were."""
    return [RedisBudget(client, PROVIDER, None, RULES) for _ in range(2)]


def fail(budget, times, token=CLEAN):
    """Report fetches that failed."""
    for _ in range(times):
        budget.report(token, answered=False)


def provider_at(base_url, budget):
    """Return a provider that shares `budget`."""
    return PolygonProvider(base_url=base_url, key=None, threads=2, budget=budget, time_budget=10.0)


def test_failures_of_all_processes_open_it_together(budgets):
    """Neither process alone has failed often enough; both are told when the next try is."""
    fail(budgets[0], 2)
    assert budgets[1].acquire(0.0) == Token(failures=2)
    fail(budgets[1], 1)
    for budget in budgets:
        with pytest.raises(ProviderPaused, match=r"last 3 fetches failed.*in [45]\.\d s") as caught:
            budget.acquire(60.0)
        assert 3.0 < caught.value.wait <= 5.0


def test_an_answer_starts_the_count_anew(budgets):
    """Failures have to be in a row, whoever saw the answer."""
    fail(budgets[0], 2)
    budgets[1].report(budgets[1].acquire(0.0), answered=True)
    fail(budgets[0], 2)
    assert budgets[0].acquire(0.0) == Token(failures=2)


def test_a_success_writes_only_where_failures_are_counted(client, budgets):
    """The good path has no call of its own; without a rate not even one for each token."""
    before = client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"]
    for _ in range(50):
        budgets[0].report(budgets[0].acquire(0.0), answered=True)
    after = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert after - before < 50
    paced = RedisBudget(client, PROVIDER, FREE, RULES)
    paced.report(paced.acquire(0.0), answered=True)
    assert client.info("commandstats")["cmdstat_evalsha"]["calls"] == after + 1


def test_after_the_pause_exactly_one_caller_tries(client, budgets):
    """Of many threads of both processes; its answer opens the way for all."""
    fail(budgets[0], 3)
    let_time_pass(client, 5.0)
    given, refused = [], []

    def take(budget):
        try:
            given.append(budget.acquire(0.0))
        except ProviderPaused as error:
            refused.append(error)

    threads = [threading.Thread(target=take, args=(budgets[n % 2],)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert given == [PROBE]
    assert len(refused) == 19
    budgets[0].report(given[0], answered=True)
    assert client.exists(BREAKER) == 0
    assert [budget.acquire(0.0) for budget in budgets] == [CLEAN, CLEAN]


def test_each_probe_that_fails_doubles_the_pause(client, budgets):
    """Up to the longest."""
    fail(budgets[0], 3)
    for pause in (10.0, 12.0, 12.0):
        let_time_pass(client, 12.0)
        token = budgets[1].acquire(0.0)
        assert token.probe
        fail(budgets[1], 1, token)
        with pytest.raises(ProviderPaused) as caught:
            budgets[0].acquire(0.0)
        assert pause - 2.0 < caught.value.wait <= pause


def test_a_probe_that_died_is_followed_by_another(client, budgets):
    """When its lease is over; nobody has to report it."""
    fail(budgets[0], 3)
    let_time_pass(client, 5.0)
    assert budgets[0].acquire(0.0).probe
    with pytest.raises(ProviderPaused) as caught:
        budgets[1].acquire(0.0)
    assert 25.0 < caught.value.wait <= 30.0
    let_time_pass(client, 30.0)
    assert budgets[1].acquire(0.0).probe


def test_what_was_sent_before_it_opened_changes_nothing(client, budgets):
    """Neither late failures nor late answers; the probe decides."""
    fail(budgets[0], 3)
    before = client.hgetall(BREAKER)
    fail(budgets[1], 5, Token(failures=2))
    budgets[1].report(Token(failures=2), answered=True)
    assert client.hgetall(BREAKER) == before


def test_a_sample_is_neither_the_probe_nor_in_its_way(client, budgets):
    """While failures are counted it is left out."""
    fail(budgets[0], 1)
    with pytest.raises(RateLimited):
        budgets[0].acquire(60.0, "sample")
    fail(budgets[0], 2)
    let_time_pass(client, 5.0)
    with pytest.raises(RateLimited):
        budgets[0].acquire(60.0, "sample")
    assert budgets[0].acquire(0.0).probe


def test_no_probe_is_taken_before_the_schedule_lets_it_through(client):
    """A breaker that is due waits for the budget as everything does."""
    budget = RedisBudget(client, PROVIDER, FREE, RULES)
    budget.acquire(0.0)
    fail(budget, 3)
    let_time_pass(client, 5.0)
    for _ in range(2):
        with pytest.raises(RateLimited):
            budget.acquire(1.0)
    let_time_pass(client, 15.0)
    assert budget.acquire(1.0).probe


def test_it_expires(client, budgets):
    """Counted failures, and a pause that nobody comes back from."""
    fail(budgets[0], 1)
    assert 0 < client.pttl(BREAKER) <= 300_000
    fail(budgets[0], 2)
    assert 300_000 < client.pttl(BREAKER) <= 305_000


def test_a_report_that_redis_does_not_take_is_lost(tmp_path):
    """What the fetch itself came to matters more."""
    with running_valkey(tmp_path) as url, redis.Redis.from_url(url) as client:
        budget = RedisBudget(client, PROVIDER, None, RULES)
        client.config_set("maxmemory", 1)
        budget.report(CLEAN, answered=False)
        assert client.exists(BREAKER) == 0


COUNTED = {
    "status": ((b"", 503), 1),
    "cut": ((b'{"status": "OK", "resu', 200), 1),
    "redirect": ((b"", 302), 0),
    "refused": ((b"{}", 403), 0),
    "unknown": ((b"{}", 404), 0),
    "limited": ((b"{}", 429), 0),
    "bad bars": ((b'{"status":"OK","resultsCount":1,"results":[{"t":1}]}', 200), 0),
}


@pytest.mark.parametrize("name", COUNTED)
def test_only_fetches_that_a_provider_in_trouble_fails_count(client, fake, monkeypatch, name):
    """Once each, after all retries; an answer that nobody likes is an answer."""
    monkeypatch.setattr(polygon_http, "BACKOFF", 0.001)
    answer, failures = COUNTED[name]
    fake.answer(*answer, Retry_After="0")
    budget = RedisBudget(client, PROVIDER, None)
    fail(budget, 1)
    with pytest.raises(ScannerError):
        provider_at(fake.base_url, budget).fetch("AAA", FIRST, LAST)
    counted = int(client.hget(BREAKER, "failures") or 0)
    assert counted == (2 if failures else 0)


def test_a_probe_is_one_request(client, fake):
    """Without retries; the next one waits for the longer pause."""
    budget = RedisBudget(client, PROVIDER, None, RULES)
    for answer in ((b"", 500), (b"cut", 200)):
        fake.answers.clear()
        fake.answer(*answer)
        client.flushall()
        fail(budget, 3)
        let_time_pass(client, 5.0)
        before = len(fake.requests)
        with pytest.raises(ProviderUnavailable):
            provider_at(fake.base_url, budget).fetch("AAA", FIRST, LAST)
        with pytest.raises(ProviderPaused):
            provider_at(fake.base_url, budget).fetch("AAA", FIRST, LAST)
        assert len(fake.requests) == before + 1
        assert int(client.hget(BREAKER, "pause")) == 10_000_000


def test_a_probe_that_is_told_to_wait_has_its_answer(client, fake):
    """A provider that counts requests is up; the cooldown does the rest."""
    fake.answer(b"", 429, Retry_After="40")
    budget = RedisBudget(client, PROVIDER, None, RULES)
    fail(budget, 3)
    let_time_pass(client, 5.0)
    with pytest.raises(RateLimited):
        provider_at(fake.base_url, budget).fetch("AAA", FIRST, LAST)
    assert client.exists(BREAKER) == 0
    assert len(fake.requests) == 1


def test_a_failed_try_counts_where_the_budget_allows_no_other(client, fake):
    """On a slow plan no fetch would else ever fail."""
    fake.answer(b"", 500)
    budget = RedisBudget(client, PROVIDER, FREE, RULES)
    with pytest.raises(RateLimited):
        provider_at(fake.base_url, budget).fetch("AAA", FIRST, LAST)
    assert int(client.hget(BREAKER, "failures")) == 1


def test_a_market_that_dies_and_comes_back(url, client, tmp_path):
    """Four processes: all stop asking; when it is back one request tries, and then all go on."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    options = ("--symbols", "5", "--sessions", "5", "--port", str(port))

    def came(kind):
        return int(client.hget("came", kind) or 0)

    with ExitStack() as stack:
        with running_simulator(tmp_path, *options):
            pipes = {"stdin": subprocess.PIPE}
            command = [sys.executable, "-c", FETCH, url, base_url]
            workers = [stack.enter_context(subprocess.Popen(command, **pipes)) for _ in range(4)]
            until(lambda: came("answer") > 40)
        until(lambda: client.hget(BREAKER, "until"))
        tried = came("ProviderUnavailable")
        until(lambda: came("ProviderPaused") > 40)
        # Those that were under way when it opened, and probes; each of the others cost no try.
        assert came("ProviderUnavailable") - tried <= len(workers) * 2 + 4
        with running_simulator(tmp_path, *options, "--latency", "1"):
            answered = came("answer")
            until(lambda: came("answer") > answered + 2 * len(workers))
            arrivals = requests.get(f"{base_url}/simulator/counts", timeout=30).json()["arrivals"]
            for worker in workers:
                worker.communicate(timeout=60)
        assert [worker.returncode for worker in workers] == [0] * len(workers)
    # The first answer takes a second: whoever came before it did not wait for the probe.
    assert len([at for at in arrivals if at < arrivals[0] + 0.99]) == 1
    assert client.exists(BREAKER) == 0
