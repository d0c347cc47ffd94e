"""Bars on a server of their own, which may evict them, fail or lose them all."""

from __future__ import annotations

import pytest
import redis
from fleet_fixtures import fleet
from server_fixtures import running_server

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
        cache.stop()
        third = one.enqueue()
        cache.start()
        one.over(third, expected)
