"""The shared request budget on a real Valkey."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time

import pytest
import redis
from process_fixtures import free_port, running_valkey
from redis.backoff import NoBackoff
from redis.retry import Retry

from scanner import keys
from scanner.bars.budget import FREE, Rate
from scanner.bars.redis_budget import RedisBudget
from scanner.errors import RateLimited, StoreUnavailable

PROCESSES, GRANTS = 8, 30
RATE = Rate(limit=50, window=0.5, burst=10)

#: One process: takes tokens and prints when each was granted, and when it was used.
TAKE = """
import sys, redis
from scanner.bars.budget import Rate
from scanner.bars.redis_budget import RedisBudget

class Seen(RedisBudget):
    def reserve(self, *args, **options):
        self.last = super().reserve(*args, **options)
        return self.last

with redis.Redis.from_url(sys.argv[1]) as client:
    budget = Seen(client, "budget", Rate(limit=50, window=0.5, burst=10))
    client.incr("ready")
    sys.stdin.readline()
    for _ in range(int(sys.argv[2])):
        budget.acquire(60.0)
        seconds, micros = client.time()
        print(budget.last.at, seconds + micros / 1e6)
"""


def test_no_window_sees_more_than_the_limit_from_eight_processes(url, client):
    """By the server's clock, and no token is used before its time."""
    command = [sys.executable, "-c", TAKE, url, str(GRANTS)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen(command, **pipes) for _ in range(PROCESSES)]
    pause = threading.Event()
    while int(client.get("ready") or 0) < PROCESSES:
        assert all(worker.poll() is None for worker in workers)
        pause.wait(0.02)
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    lines = [line for worker in workers for line in worker.communicate(timeout=60)[0].splitlines()]
    moments = [tuple(map(float, line.split())) for line in lines]
    granted = sorted(at for at, _ in moments)
    assert len(granted) == PROCESSES * GRANTS
    assert all(used >= at - 1e-6 for at, used in moments)
    later = granted[RATE.limit :]
    assert all(b - a > RATE.window for a, b in zip(granted, later, strict=False))
    assert granted[-1] - granted[0] < 1.5 * RATE.seconds_for(len(granted)) + 1.0


def test_the_first_burst_is_free_and_the_rest_is_spaced(client):
    """Reservations follow the rate exactly, without anyone sleeping."""
    budget = RedisBudget(client, "budget", Rate(limit=5, window=60.0, burst=2))
    taken = [budget.reserve(3600.0) for _ in range(5)]
    gaps = [round(b.at - a.at, 1) for a, b in itertools.pairwise(taken)]
    assert [one.wait for one in taken[:2]] == [0.0, 0.0]
    assert gaps == [0.0, 20.0, 20.0, 20.0]


def test_a_token_that_comes_too_late_is_not_taken(client):
    """RateLimited says how long the wait would be, and nobody's place is used up."""
    budget = RedisBudget(client, "budget", FREE)
    budget.acquire(0.0)
    for _ in range(3):
        with pytest.raises(RateLimited, match=r"within 1\.0 s") as caught:
            budget.acquire(1.0)
        assert 14.0 < caught.value.wait <= 15.1


def test_a_token_is_granted_after_its_wait(client):
    """The caller sleeps until its place in the schedule."""
    budget = RedisBudget(client, "budget", Rate(limit=5, window=1.0, burst=1))
    budget.acquire(0.0)
    before = time.monotonic()
    budget.acquire(1.0)
    assert time.monotonic() - before > 0.2


def test_the_key_expires(client):
    """An idle budget leaves nothing behind."""
    budget = RedisBudget(client, "budget", FREE)
    budget.acquire(0.0)
    assert 0 < client.pttl(keys.budget("budget")) <= 17_000


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda budget: budget.acquire(0.2), "request budget from Redis"),
        (lambda budget: budget.cool(1.0), "keep a cooldown"),
    ],
    ids=["acquire", "cool"],
)
def test_without_redis_there_is_no_budget(ask, said):
    """After the timeout the store is to blame; nobody falls back on a budget of their own."""
    address = f"redis://127.0.0.1:{free_port()}"
    with (
        redis.Redis.from_url(address, retry=Retry(NoBackoff(), 0)) as client,
        pytest.raises(StoreUnavailable, match=said),
    ):
        ask(RedisBudget(client, "budget", FREE))


def test_a_redis_that_comes_back_in_time_grants_the_token(tmp_path):
    """The budget waits for Redis up to the timeout."""
    port = free_port()
    first_try, granted = threading.Event(), threading.Event()

    class Watched(RedisBudget):
        def reserve(self, *args, **options):
            try:
                return super().reserve(*args, **options)
            finally:
                first_try.set()

    def take() -> None:
        with redis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as client:
            client.connection_pool.connection_kwargs["password"] = password
            Watched(client, "budget", FREE).acquire(20.0)
            granted.set()

    password = "made-up"
    thread = threading.Thread(target=take)
    thread.start()
    assert first_try.wait(10)
    with running_valkey(tmp_path, port, password):
        thread.join(20)
        assert granted.is_set()
