"""Both bar caches keep one contract; the one in Redis also expires, counts and survives damage."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from process_fixtures import free_port
from redis.backoff import NoBackoff
from redis.retry import Retry
from scan_builders import LAST, REQUEST, ScriptedProvider, series

from scanner import keys
from scanner.bars.block import BarSeries
from scanner.bars.cache import BarRequest, MemoryBarCache, entry_of
from scanner.bars.codec import HEADER_SIZE, EntryHeader, encode
from scanner.bars.load import load_bars
from scanner.bars.redis_cache import RedisBarCache
from scanner.errors import StoreUnavailable

EXPIRY = 14_400


def asked(first=REQUEST.first, last=LAST, **changes):
    """Return a request for the bars from first to last."""
    return BarRequest(**{"source": "test-1", "timeframe": "1d"} | changes, first=first, last=last)


def same(one: BarSeries, other: BarSeries) -> bool:
    """Return whether two series hold the same bits."""
    return (one.symbol, one.sessions.tobytes(), one.values.tobytes()) == (
        other.symbol,
        other.sessions.tobytes(),
        other.values.tobytes(),
    )


@pytest.mark.parametrize("kind", ["memory", "redis"])
class TestBarCacheContract:
    """What every BarCache does."""

    @pytest.fixture
    def cache(self, kind, client):
        """Return an empty cache of each kind."""
        return MemoryBarCache() if kind == "memory" else RedisBarCache(client, EXPIRY)

    def test_nothing_is_in_an_empty_cache(self, cache):
        """Each symbol is a miss called absent."""
        read = cache.read(REQUEST, ["AAA", "BBB"])
        assert (read.series, dict(read.misses)) == ({}, {"absent": 2})
        assert cache.covered(REQUEST, ["AAA", "BBB"]) == set()

    def test_what_was_written_is_read_bit_by_bit(self, cache):
        """Only the symbols that were asked for."""
        cache.write(REQUEST, [series("AAA"), series("BBB", seed=2)])
        read = cache.read(REQUEST, ["BBB", "CCC"])
        assert set(read.series) == {"BBB"}
        assert same(read.series["BBB"], series("BBB", seed=2))
        assert dict(read.misses) == {"absent": 1}

    def test_covered_names_what_read_would_answer(self, cache):
        """The plan counts the requests of a scan by it."""
        cache.write(asked(first=LAST - 100), [series("SHORT")])
        cache.write(REQUEST, [series("AAA"), series("EMPTY", bars=0)])
        symbols = ["AAA", "SHORT", "EMPTY", "NONE"]
        assert cache.covered(REQUEST, symbols) == set(cache.read(REQUEST, symbols).series)
        assert cache.covered(REQUEST, symbols) == {"AAA", "EMPTY"}

    def test_a_longer_entry_answers_a_shorter_request_cut_to_it(self, cache):
        """Bars before and after the request are not seen."""
        cache.write(REQUEST, [series("AAA", bars=50)])
        got = cache.read(asked(first=LAST - 20, last=LAST - 10), ["AAA"]).series["AAA"]
        assert same(got, series("AAA", bars=50).between(LAST - 20, LAST - 10))
        assert len(got) == 11

    @pytest.mark.parametrize(("first", "last"), [(-1, 0), (0, 1)])
    def test_an_entry_that_does_not_reach_is_a_miss_called_short(self, cache, first, last):
        """One day before it or after it."""
        cache.write(REQUEST, [series("AAA")])
        read = cache.read(asked(REQUEST.first + first, LAST + last), ["AAA"])
        assert (read.series, dict(read.misses)) == ({}, {"short": 1})

    @pytest.mark.parametrize("other", [{"source": "test-2"}, {"timeframe": "1w"}])
    def test_bars_of_another_source_or_timeframe_never_answer(self, cache, other):
        """Simulated bars cannot pass for real ones."""
        cache.write(REQUEST, [series("AAA")])
        assert cache.read(asked(**other), ["AAA"]).series == {}
        assert cache.covered(asked(**other), ["AAA"]) == set()

    def test_symbols_that_differ_in_case_are_different(self, cache):
        """`KIMpL` is not `KIMPL`."""
        cache.write(REQUEST, [series("KIMpL")])
        assert set(cache.read(REQUEST, ["KIMPL", "KIMpL"]).series) == {"KIMpL"}

    def test_a_later_write_replaces_an_entry(self, cache):
        """The newest answer of the provider counts."""
        cache.write(REQUEST, [series("AAA")])
        cache.write(REQUEST, [series("AAA", seed=9)])
        assert same(cache.read(REQUEST, ["AAA"]).series["AAA"], series("AAA", seed=9))

    def test_more_symbols_than_one_round_trip_takes_are_all_answered(self, cache):
        """In order, across the seam between two trips."""
        names = [f"S{n}" for n in range(520)]
        cache.write(REQUEST, [series(name, bars=2, seed=n) for n, name in enumerate(names)])
        read = cache.read(REQUEST, names)
        assert all(same(read.series[s], series(s, 2, seed=n)) for n, s in enumerate(names))
        assert cache.covered(REQUEST, names) == set(names)


def broken_entries():
    """Return one entry of each kind of damage, by its name."""
    entry = entry_of(REQUEST, series("AAA", bars=5))
    middle = HEADER_SIZE + 20
    return {
        "empty": b"",
        "cut": entry[:-1],
        "header only": entry[:HEADER_SIZE],
        "flipped": entry[:middle] + bytes([entry[middle] ^ 1]) + entry[middle + 1 :],
        "version": entry[:3] + b"\x09" + entry[4:],
        "huge": entry[:20] + b"\xff\xff\xff\xff" + entry[24:],
        "text": b"hello, this was never an entry of bars",
    }


@pytest.mark.parametrize("damage", list(broken_entries()))
def test_a_broken_entry_is_counted_and_overwritten(client, damage):
    """It costs a request and harms nobody; the next scan finds it whole."""
    cache, provider = RedisBarCache(client, EXPIRY), ScriptedProvider({"AAA": series("AAA")})
    client.set(keys.bars("test-1", "1d", "AAA"), broken_entries()[damage])
    first = load_bars(REQUEST, ["AAA"], cache, provider)
    assert first.counts == {"broken": 1, "hit": 0, "fetched": 1}
    assert same(first.series["AAA"], series("AAA"))
    assert load_bars(REQUEST, ["AAA"], cache, provider).counts == {"hit": 1}


def test_a_provisional_entry_is_a_miss(client):
    """Bars of an open session never pass for final ones."""
    head = EntryHeader(
        first=REQUEST.first, last=LAST, as_of=LAST, bars=30, fetched_at=0.0, provisional=True
    )
    client.set(keys.bars("test-1", "1d", "AAA"), encode(series("AAA"), head))
    cache = RedisBarCache(client, EXPIRY)
    assert dict(cache.read(REQUEST, ["AAA"]).misses) == {"short": 1}
    assert cache.covered(REQUEST, ["AAA"]) == set()


def test_every_entry_expires_within_the_expiry_and_not_all_at_once(client):
    """Jitter only shortens, to nine tenths."""
    cache = RedisBarCache(client, EXPIRY)
    cache.write(REQUEST, [series(f"S{n}", bars=1) for n in range(100)])
    ends = [client.pttl(key) / 1000 for key in client.keys("*")]
    assert len(ends) == 100
    assert all(0.9 * EXPIRY - 10 < end <= EXPIRY for end in ends)
    assert max(ends) - min(ends) > 0.03 * EXPIRY


def test_an_entry_is_gone_when_its_time_is_over(client):
    """In Redis and in memory alike."""
    for cache in (RedisBarCache(client, 1), MemoryBarCache(expiry=0.2)):
        cache.write(REQUEST, [series("AAA")])
        assert cache.covered(REQUEST, ["AAA"]) == {"AAA"}
        ends = time.monotonic() + 10
        while cache.read(REQUEST, ["AAA"]).series and time.monotonic() < ends:
            pass
        assert dict(cache.read(REQUEST, ["AAA"]).misses) == {"absent": 1}


def test_a_redis_that_is_away_is_a_store_that_is_not_available():
    """What redis-py raises does not get out."""
    gone = redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 0))
    cache = RedisBarCache(gone, EXPIRY)
    with pytest.raises(StoreUnavailable, match="read bars"):
        cache.read(REQUEST, ["AAA"])
    with pytest.raises(StoreUnavailable, match="look for bars"):
        cache.covered(REQUEST, ["AAA"])
    with pytest.raises(StoreUnavailable, match="write bars"):
        cache.write(REQUEST, [series("AAA")])


def test_a_claim_is_its_thread_s_until_it_is_given_up(client):
    """Also when it could not be given up: who lost Redis meanwhile must not wait for itself."""
    cache = RedisBarCache(client, EXPIRY)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(cache.claim, REQUEST, "AAA").result()
        assert not cache.claim(REQUEST, "AAA")
        assert pool.submit(cache.claim, REQUEST, "AAA").result()
        pool.submit(cache.release, REQUEST, "AAA").result()
    assert cache.claim(REQUEST, "AAA")
    assert [50 < client.ttl(key) <= 60 for key in client.keys(f"{keys.PREFIX}*")] == [True]
