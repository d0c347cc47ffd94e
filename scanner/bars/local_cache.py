"""Bars of one process in front of those in Redis: what was decoded before is not decoded again.

A series is taken only while Redis has the very entry that it came from, which its header tells: it
holds the checksum of all that follows it. So nothing here outlives its entry.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import redis
from cachetools import LRUCache

from scanner.bars.block import BarSeries
from scanner.bars.cache import BarRequest, CacheRead, covered_of
from scanner.bars.codec import HEADER_SIZE
from scanner.bars.redis_cache import RedisBarCache


class LocalBarCache(RedisBarCache):
    """Entries in Redis, and the series of up to `most` symbols in this process."""

    def __init__(self, client: redis.Redis, expiry: int, most: int) -> None:
        super().__init__(client, expiry)
        self._lock = threading.Lock()
        #: Timeframe, symbol, first and last session -> the header of the entry, and its series.
        self._known: LRUCache[tuple[str, str, int, int], tuple[bytes, BarSeries]] = LRUCache(most)

    def read(self, request: BarRequest, symbols: Sequence[str]) -> CacheRead:
        """Return the series that cover `request`, cut to it, and count the misses."""
        heads = self.heads(request, symbols)
        covered = covered_of(request, symbols, heads)
        starts = range(0, len(heads), HEADER_SIZE)
        head_of = {
            symbol: heads[start : start + HEADER_SIZE]
            for symbol, start in zip(symbols, starts, strict=True)
        }
        near: dict[str, BarSeries] = {}
        with self._lock:
            for symbol in covered:
                head, series = self._known.get(_key(request, symbol), (b"", None))
                if series is not None and head == head_of[symbol]:
                    near[symbol] = series
        found = super().read(request, [symbol for symbol in symbols if symbol not in near])
        with self._lock:
            for symbol, series in found.series.items():
                self._known[_key(request, symbol)] = (head_of[symbol], series)
        both = found.series | near
        return CacheRead(
            series={symbol: both[symbol] for symbol in symbols if symbol in both},
            misses=found.misses,
            local=len(near),
        )


def _key(request: BarRequest, symbol: str) -> tuple[str, str, int, int]:
    return (request.timeframe, symbol, request.first, request.last)
