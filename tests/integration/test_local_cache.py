"""Series that a process keeps: taken while Redis has the entry that they came from."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from runtime_builders import runtime_on
from scan_builders import LAST, REQUEST, ScriptedProvider, series

from scanner import keys
from scanner.bars.load import load_bars
from scanner.bars.local_cache import LocalBarCache
from scanner.bars.redis_cache import RedisBarCache

SYMBOLS = ["AAA", "BBB", "CCC"]


@pytest.fixture
def shared(client):
    """Return the cache of all processes, with three symbols."""
    cache = RedisBarCache(client, 3_600)
    cache.write(REQUEST, [series(symbol) for symbol in SYMBOLS])
    return cache


@pytest.fixture
def cache(client, shared):
    """Return the cache of one process, which has read them."""
    local = LocalBarCache(client, 3_600, 100)
    assert local.read(REQUEST, SYMBOLS).local == 0
    return local


def test_what_was_read_is_there_without_redis_bodies(cache, client):
    """The series themselves, in the order in which they were asked for."""
    client.config_resetstat()
    read = cache.read(REQUEST, ["CCC", "AAA", "BBB"])
    assert (read.local, list(read.series), dict(read.misses)) == (3, ["CCC", "AAA", "BBB"], {})
    np.testing.assert_array_equal(read.series["AAA"].values, series("AAA").values)
    assert "cmdstat_get" not in client.info("commandstats")
    assert client.info("commandstats").get("cmdstat_mget", {}).get("calls", 0) == 0


def test_a_symbol_without_bars_is_kept_too(cache, shared):
    """It is known to have none, and not asked for again."""
    shared.write(REQUEST, [series("NONE", bars=0)])
    for local in (0, 1):
        read = cache.read(REQUEST, ["NONE"])
        assert (read.local, len(read.series["NONE"]), dict(read.misses)) == (local, 0, {})


def test_an_entry_that_was_replaced_is_read_anew(cache, shared):
    """By any process: the header tells."""
    other = dataclasses.replace(series("BBB"), values=series("BBB").values * 2.0)
    shared.write(REQUEST, [other])
    read = cache.read(REQUEST, SYMBOLS)
    assert read.local == 2
    np.testing.assert_array_equal(read.series["BBB"].values, other.values)
    assert cache.read(REQUEST, SYMBOLS).local == 3


@pytest.mark.parametrize("how", ["expired", "dropped"])
def test_what_is_gone_from_redis_is_gone(cache, client, how):
    """An entry that ended, or one that was dropped because a split was found."""
    if how == "expired":
        client.pexpire(keys.bars(REQUEST.source, REQUEST.timeframe, "AAA"), 1)
        while client.exists(keys.bars(REQUEST.source, REQUEST.timeframe, "AAA")):
            pass
    else:
        cache.drop(REQUEST.source, REQUEST.timeframe, ["AAA"])
    read = cache.read(REQUEST, SYMBOLS)
    assert (read.local, sorted(read.series), dict(read.misses)) == (
        2,
        ["BBB", "CCC"],
        {"absent": 1},
    )


def test_other_days_and_younger_entries_are_asked_for_in_redis(cache):
    """A series was cut to what it was asked for; `since` asks for a younger one."""
    shorter = dataclasses.replace(REQUEST, first=LAST - 10)
    read = cache.read(shorter, ["AAA"])
    assert (read.local, len(read.series["AAA"])) == (0, 11)
    assert cache.read(REQUEST, ["AAA"]).local == 1
    later = dataclasses.replace(REQUEST, since=4e9)
    read = cache.read(later, ["AAA"])
    assert (read.local, read.series, dict(read.misses)) == (0, {}, {"short": 1})


def test_no_more_symbols_are_kept_than_were_asked_for(client, shared):
    """Those that were read last."""
    small = LocalBarCache(client, 3_600, 2)
    for _ in range(2):
        small.read(REQUEST, ["AAA"])
    small.read(REQUEST, ["BBB", "CCC"])
    assert small.read(REQUEST, ["AAA"]).local == 0
    assert small.read(REQUEST, ["CCC"]).local == 1


def test_threads_share_it(cache):
    """Each gets what it asked for."""
    with ThreadPoolExecutor(8) as pool:
        reads = list(pool.map(lambda _: cache.read(REQUEST, SYMBOLS), range(200)))
    assert {(one.local, len(one.series)) for one in reads} == {(3, 3)}


def test_a_report_counts_them_apart(cache):
    """`hit` is what came from Redis."""
    counts = load_bars(REQUEST, SYMBOLS, cache, ScriptedProvider()).counts
    assert {name: count for name, count in counts.items() if count} == {"local": 3}


def test_the_setting_asks_for_it(client):
    """By default there is none."""
    assert type(runtime_on(client).tools.cache) is RedisBarCache
    assert isinstance(runtime_on(client, local_bars=10).tools.cache, LocalBarCache)
