"""A 429 stops every process until the moment that the provider named, on a real Valkey."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time

import orjson
import pytest
import requests
from bars_builders import FIRST, LAST
from budget_builders import BUDGET, COOLDOWN, PROVIDER, let_time_pass, until
from process_fixtures import running_simulator

from scanner.bars.budget import FREE, KINDS, PAID, Rate, Unlimited
from scanner.bars.polygon import PolygonProvider
from scanner.bars.redis_budget import HORIZON, Outcome, RedisBudget
from scanner.errors import RateLimited

LONG = 3600.0
BAR = {"t": 1750219200000, "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}
GOOD = orjson.dumps({"ticker": "AAA", "resultsCount": 1, "results": [BAR], "status": "OK"})

#: One process with one thread: asks the provider again and again until its input ends.
HAMMER = """
import datetime as dt, sys, threading, redis
from scanner.bars.budget import PAID
from scanner.bars.polygon import PolygonProvider
from scanner.bars.redis_budget import RedisBudget

url, base_url = sys.argv[1:]
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
with redis.Redis.from_url(url) as client:
    provider = PolygonProvider(base_url=base_url, key=None, threads=1, time_budget=60.0,
                               budget=RedisBudget(client, "tested", PAID))
    while not over.is_set():
        provider.fetch("AAA", dt.date(2025, 6, 2), dt.date(2025, 7, 9))
"""


def provider_at(base_url, budget, time_budget=10.0):
    """Return a provider that shares `budget`."""
    return PolygonProvider(
        base_url=base_url, key=None, threads=2, budget=budget, time_budget=time_budget
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", [FREE, PAID, None])
def test_no_token_is_for_a_moment_before_the_end(client, rate, kind):
    """Whatever the kind and the plan, and for a budget object that did not set it."""
    RedisBudget(client, PROVIDER, rate).cool(50.0)
    ends = int(client.hget(COOLDOWN, "until")) / 1e6
    other = RedisBudget(client, PROVIDER, rate)
    found = other.reserve(LONG, kind)
    assert found.outcome is (Outcome.REFUSED if kind == "sample" else Outcome.QUEUED)
    assert found.at == pytest.approx(ends, abs=1e-6)
    client.delete(BUDGET)
    with pytest.raises(RateLimited, match="the provider asked to wait") as caught:
        other.acquire(30.0, kind)
    assert 49.0 < caught.value.wait <= 50.0
    let_time_pass(client, 50.0 - HORIZON / 2)
    found = other.reserve(LONG, "bars" if kind == "sample" else kind, promised=True)
    assert found.outcome is Outcome.GRANTED
    assert found.at >= ends - 50.0 + HORIZON / 2 - 1e-5


def test_a_cooldown_only_grows(client):
    """A later 429 with a shorter wait does not shorten it."""
    budget = RedisBudget(client, PROVIDER, PAID)
    assert budget.cool(30.0) == 30.0
    ends = int(client.hget(COOLDOWN, "until"))
    assert 29.0 < budget.cool(2.0) <= 30.0
    assert int(client.hget(COOLDOWN, "until")) == ends
    budget.cool(40.0)
    assert int(client.hget(COOLDOWN, "until")) > ends + 5e6


def test_it_expires_with_its_end(client):
    """Nothing is left of it."""
    budget = RedisBudget(client, PROVIDER, PAID)
    budget.cool(30.0)
    assert 29_000 < client.pttl(COOLDOWN) <= 30_001
    budget.cool(0.0)
    client.delete(COOLDOWN)
    assert budget.cool(0.0) == 0.0
    assert client.exists(COOLDOWN) == 0


def test_what_follows_a_cooldown_keeps_to_the_rate(client):
    """All who waited do not go at its end at once."""
    budget = RedisBudget(client, PROVIDER, Rate(limit=100, window=1.0, burst=3))
    budget.cool(HORIZON / 2)
    taken = [budget.reserve(LONG).at for _ in range(12)]
    ends = int(client.hget(COOLDOWN, "until")) / 1e6
    assert [round(at - ends, 3) for at in taken[:3]] == [0.0, 0.0, 0.0]
    gaps = [b - a for a, b in itertools.pairwise(taken[2:])]
    assert all(gap >= budget.rate.interval for gap in gaps)


@pytest.mark.parametrize(
    ("rate", "least", "most"), [(FREE, 15, 15), (PAID, 1, 1.5), (None, 1, 1.5)]
)
def test_without_a_named_time_it_is_the_plans(client, rate, least, most):
    """A slow plan waits for its next place, a fast one a second or so."""
    assert least <= RedisBudget(client, PROVIDER, rate).cool(None) <= most


def test_guesses_that_are_too_short_grow(client):
    """Each is twice the one before, up to half a minute; after a quiet time it begins anew."""
    budget, pauses = RedisBudget(client, PROVIDER, None), []
    for _ in range(7):
        pauses.append(budget.cool(None))
        let_time_pass(client, pauses[-1])
    assert 1.0 <= pauses[0] <= 1.5
    doubled = [min(30.0, 2.0 * one) for one in pauses[:-1]]
    assert pauses[1:] == pytest.approx(doubled, abs=0.1)
    assert 9_000 < client.pttl(COOLDOWN) - 30_000 <= 10_000
    client.delete(COOLDOWN)
    assert budget.cool(None) <= 1.5


def test_the_429s_of_a_moment_are_one_guess(client):
    """Twenty threads get theirs at once, and the cooldown of the next is no longer by them."""
    budget = RedisBudget(client, PROVIDER, None)
    assert max(budget.cool(None) for _ in range(20)) <= 1.5
    let_time_pass(client, 1.5)
    assert 2.0 <= budget.cool(None) <= 3.0
    assert budget.cool(7.0) == pytest.approx(7.0, abs=0.1)


def test_a_retry_after_a_429_waits_once(client, fake, monkeypatch):
    """In the budget, with all others, and not by itself before that."""
    fake.answer(b"", 429, Retry_After="1")
    fake.answer(GOOD)
    slept = []
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: (slept.append(seconds), sleep(seconds)))
    provider_at(fake.base_url, RedisBudget(client, PROVIDER, PAID)).fetch("AAA", FIRST, LAST)
    assert len(fake.requests) == 2
    assert sum(slept) <= 1.0 + HORIZON


def test_any_answer_that_says_when_to_come_again_holds_all_back(client, fake):
    """A provider in maintenance is not asked by the other threads meanwhile."""
    fake.answer(b"", 503, Retry_After="45")
    provider = provider_at(fake.base_url, RedisBudget(client, PROVIDER, None), 5.0)
    for symbol in ("AAA", "BBB"):
        with pytest.raises(RateLimited):
            provider.fetch(symbol, FIRST, LAST)
    assert len(fake.requests) == 1
    assert 40_000 < client.pttl(COOLDOWN) <= 45_000


def test_the_last_429_of_a_fetch_counts_too(client, fake):
    """A fetch that may not wait leaves the cooldown to the others."""
    fake.answer(b"", 429, Retry_After="45")
    provider = provider_at(fake.base_url, RedisBudget(client, PROVIDER, None), 5.0)
    with pytest.raises(RateLimited) as caught:
        provider.fetch("AAA", FIRST, LAST)
    assert caught.value.wait == 45.0
    with pytest.raises(RateLimited, match="asked to wait"):
        provider.fetch("BBB", FIRST, LAST)
    assert len(fake.requests) == 1
    assert 40_000 < client.pttl(COOLDOWN) <= 45_000


def test_without_redis_the_threads_of_one_process_wait():
    """The unlimited budget keeps a cooldown to itself."""
    budget = Unlimited()
    assert budget.cool(20.0) == 20.0
    assert 19.0 < budget.cool(0.0) <= 20.0
    with pytest.raises(RateLimited, match="asked to wait"):
        budget.acquire(1.0)


def test_a_429_of_one_process_stops_another(url, client, fake, tmp_path):
    """At most the one request is still sent whose token was given before, then none till the end.

    The two talk to servers of their own and share the budget: only through it can the one know.
    """
    fake.answer(b"", 429, Retry_After="3")
    options = ("--symbols", "5", "--sessions", "5")
    with running_simulator(tmp_path, *options) as base_url:

        def arrivals():
            return requests.get(f"{base_url}/simulator/counts", timeout=30).json()["arrivals"]

        command = [sys.executable, "-c", HAMMER, url, base_url]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as hammer:
            until(lambda: len(arrivals()) > 20)
            provider = provider_at(fake.base_url, RedisBudget(client, PROVIDER, PAID), 1.0)
            with pytest.raises(RateLimited, match="asks to wait 3 s"):
                provider.fetch("AAA", FIRST, LAST)
            after = time.monotonic()
            ends = int(client.hget(COOLDOWN, "until")) / 1e6 - time.time() + time.monotonic()
            until(lambda: arrivals()[-1] > ends)
            hammer.communicate(timeout=60)
        assert hammer.returncode == 0
        moments = arrivals()
    assert ends - after > 1.0
    assert len([at for at in moments if after < at < ends - 0.02]) <= 1
    assert len([at for at in moments if at >= ends - 0.02]) >= 1


def test_a_place_that_was_promised_before_is_no_way_around_it(client):
    """Who queues is told a later place when the old one comes."""
    budget = RedisBudget(client, PROVIDER, FREE)
    assert [round(budget.reserve(LONG).wait) for _ in range(2)] == [0, 15]
    budget.cool(50.0)
    let_time_pass(client, 15.0)
    found = budget.reserve(LONG, promised=True)
    assert found.outcome is Outcome.QUEUED
    assert found.at >= int(client.hget(COOLDOWN, "until")) / 1e6 - 1e-5
