"""Eight processes with calls of all kinds: what is granted, and what arrives at the provider."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
import redis
import requests
from budget_builders import until
from process_fixtures import running_simulator, running_valkey

from scanner.bars.budget import KINDS, Rate

PROCESSES, THREADS, CALLS = 8, 3, 8
RATE = Rate(limit=40, window=1.0, burst=4)

#: What a request may take from its token's moment to the provider's door, in seconds.
ON_THE_WAY = 0.2

#: One process: its threads ask for the market's status, each as a kind of its own; prints when
#: each token was granted and when the answer was there, on the machine's monotonic clock.
ASK = """
import json, sys, threading, time, redis
from scanner.bars.budget import KINDS, Rate
from scanner.bars.polygon_http import PolygonHttp
from scanner.bars.redis_budget import RedisBudget
from scanner.errors import RateLimited

url, base_url, process, threads, calls = sys.argv[1:]
client = redis.Redis.from_url(url)
told = threading.local()

class Seen(RedisBudget):
    def reserve(self, *args, **options):
        told.found = super().reserve(*args, **options)
        return told.found

budget = Seen(client, "tested", Rate(limit=40, window=1.0, burst=4))
http = PolygonHttp(base_url=base_url, key=None, threads=int(threads), budget=budget)
seen = []

def ask(kind):
    for _ in range(int(calls)):
        try:
            http.get("/v1/marketstatus/now", kind, 120.0, kind)
        except RateLimited:
            seen.append((kind, None, None))
        else:
            seen.append((kind, told.found.at, time.monotonic()))

client.incr("ready")
sys.stdin.readline()
asking = [threading.Thread(target=ask, args=(KINDS[(int(process) + n) % 4],))
          for n in range(int(threads))]
for thread in asking:
    thread.start()
for thread in asking:
    thread.join()
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def seen_and_arrivals(tmp_path_factory):
    """Return (kind, granted, answered) of each call, and the arrivals; monotonic seconds."""
    folder = tmp_path_factory.mktemp("arrivals")
    options = ("--symbols", "5", "--sessions", "5")
    with running_valkey(folder) as url, running_simulator(folder, *options) as base_url:
        sizes = [str(THREADS), str(CALLS)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        workers = [
            subprocess.Popen([sys.executable, "-c", ASK, url, base_url, str(n), *sizes], **pipes)
            for n in range(PROCESSES)
        ]
        with redis.Redis.from_url(url) as client:
            until(lambda: int(client.get("ready") or 0) == PROCESSES)
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        told = [json.loads(worker.communicate(timeout=120)[0]) for worker in workers]
        arrivals = requests.get(f"{base_url}/simulator/counts", timeout=30).json()["arrivals"]
    epoch = time.time() - time.monotonic()
    seen = [
        (kind, at and at - epoch, answered) for process in told for kind, at, answered in process
    ]
    return seen, sorted(arrivals)


def test_each_granted_token_was_one_request(seen_and_arrivals):
    """And no kind but the samples was refused."""
    seen, arrivals = seen_and_arrivals
    assert len(seen) == PROCESSES * THREADS * CALLS
    assert len(arrivals) == len([at for _, at, _ in seen if at is not None])
    assert {kind for kind, at, _ in seen if at is None} <= {"sample"}
    assert {kind for kind, at, _ in seen if at is not None} >= set(KINDS) - {"sample"}


def test_no_window_of_grants_holds_more_than_the_limit(seen_and_arrivals):
    """Whatever the mix of kinds, by the server's clock."""
    granted = sorted(at for _, at, _ in seen_and_arrivals[0] if at is not None)
    later = granted[RATE.limit :]
    assert len(later) > RATE.limit
    assert all(b - a > RATE.window - 1e-5 for a, b in zip(granted, later, strict=False))


def test_no_window_of_arrivals_holds_more_than_the_limit(seen_and_arrivals):
    """But for the time that requests are on their way, of which a busy machine may need more."""
    seen, arrivals = seen_and_arrivals
    longest = max(answered - at for _, at, answered in seen if at is not None)
    slack = max(ON_THE_WAY, longest)
    later = arrivals[RATE.limit :]
    assert all(b - a > RATE.window - slack for a, b in zip(arrivals, later, strict=False))


def test_kinds_that_go_first_end_first(seen_and_arrivals):
    """Half of the live calls are granted before half of the market's, and these before bars."""
    middle = {}
    for kind in ("live", "market", "bars"):
        moments = sorted(at for one, at, _ in seen_and_arrivals[0] if one == kind)
        middle[kind] = moments[len(moments) // 2]
    assert middle["live"] <= middle["market"] <= middle["bars"]
