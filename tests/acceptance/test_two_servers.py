"""Bars on a server of their own, which may evict them, fail or lose them all."""

from __future__ import annotations

import time

import pytest
import redis
from fleet_fixtures import fleet
from server_fixtures import running_server
from stack_fixtures import environment, scan

pytestmark = pytest.mark.faults

EVICTS = "maxmemory-policy allkeys-lfu"
#: What is of the bars, and of nothing else.
OF_BARS = ("bars", "day", "splits", "claim", "compared", "suspects")


@pytest.mark.timeout(200)
def test_bars_lie_on_a_server_that_may_lose_them(tmp_path):
    """The queue, the scans and the budget are on the other one; lost bars are fetched again."""
    with (
        running_server(tmp_path / "queue") as queue,
        running_server(tmp_path / "cache", EVICTS) as cache,
        fleet(
            tmp_path / "fleet",
            redis_url=queue.url,
            cache_url=cache.url,
            module="misbehaving",
            batch_size=4,
            simulator_symbols=300,
            fetch="grouped",
        ) as one,
        redis.Redis.from_url(queue.url) as of_queue,
        redis.Redis.from_url(cache.url) as of_cache,
    ):
        expected = one.plain_rows()

        def kinds(client):
            names = [key.decode() for key in client.scan_iter("ms1:*", count=1_000)]
            return {name.split(":")[1] for name in names}

        assert {"bars", "day"} <= kinds(of_cache) <= set(OF_BARS)
        assert not {"bars", "day", "splits"} & kinds(of_queue)
        of_cache.flushall()
        one.over(one.enqueue(), expected)
        one.misbehave("* 0.2")
        third = one.enqueue()
        one.until(third, 20)
        cache.stop()
        time.sleep(4.0)
        assert one.progress(third).state == "running"
        cache.start()
        one.over(third, expected, "the server of the bars is away for 4 s", time.monotonic())


def test_doctor_tells_a_server_that_evicts_from_one_that_may(tmp_path):
    """Of bars what is evicted is fetched again; of a queue it is lost."""
    with running_server(tmp_path / "cache", EVICTS) as cache, running_server(tmp_path / "q") as q:
        env = environment(tmp_path / "home")
        bad = scan("doctor", env=env | {"SCANNER_REDIS_URL": cache.url})
        urls = {"SCANNER_REDIS_URL": q.url, "SCANNER_CACHE_URL": cache.url}
        good = scan("doctor", env=env | urls)
    assert bad.returncode == 1
    assert "BAD  redis: maxmemory-policy is allkeys-lfu: a queue needs noeviction" in bad.stdout
    assert "redis: answers, noeviction" in good.stdout
    assert "cache: answers, allkeys-lfu" in good.stdout
    assert "BAD  redis" not in good.stdout
