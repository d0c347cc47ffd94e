"""Bars in Redis, shared by all workers: one key a symbol, read by MGET, written by pipelines."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, cast

import redis

from scanner import claims, keys
from scanner.bars.block import BarSeries
from scanner.bars.cache import BarRequest, CacheRead, covered_of, entry_of, read_entries
from scanner.bars.codec import HEADER_SIZE
from scanner.redis_errors import redis_errors

#: Seconds after which another caller may fetch what one has claimed: it has died.
CLAIM_SECONDS: Final = 60

#: Keys a round trip, so that one reply stays near a megabyte.
_KEYS_A_TRIP: Final = 512

#: KEYS: bars. ARGV: bytes of a header. Returns the headers one after the other; one that is not
#: there is as many zeros. A reply for each key would take its reader four times as long.
_HEADS: Final = """
local heads, size = {}, tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  local head = redis.call('GETRANGE', key, 0, size - 1)
  heads[i] = head .. string.rep('\\0', size - #head)
end
return table.concat(heads)
"""


class RedisBarCache:
    """Entries in Redis; each expires after `expiry` seconds, or up to a tenth earlier."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        self._client = client
        self._expiry = expiry
        self._heads = client.register_script(_HEADS)

    def read(self, request: BarRequest, symbols: Sequence[str]) -> CacheRead:
        """Return the series that cover `request`, cut to it, and count the misses."""
        entries: list[bytes | None] = []
        with redis_errors("read bars"):
            for part in _parts(symbols):
                entries += cast("list[bytes | None]", self._client.mget(_keys(request, part)))
        return read_entries(request, symbols, entries)

    def covered(self, request: BarRequest, symbols: Sequence[str]) -> set[str]:
        """Return the symbols that `read` would answer, by reading headers only."""
        return covered_of(request, symbols, self.heads(request, symbols))

    def heads(self, request: BarRequest, symbols: Sequence[str]) -> bytes:
        """Return the header of each symbol's entry, zeros where there is none, as one text."""
        with redis_errors("look for bars"):
            parts = [self._heads(_keys(request, part), [HEADER_SIZE]) for part in _parts(symbols)]
        return b"".join(cast("list[bytes]", parts))

    def write(
        self, request: BarRequest, series: Iterable[BarSeries], fetched_at: float | None = None
    ) -> None:
        """Store final bars that were fetched for `request`, just now or at `fetched_at`."""
        pipe = self._client.pipeline(transaction=False)
        for one in series:
            key = keys.bars(request.source, request.timeframe, one.symbol)
            pipe.set(key, entry_of(request, one, fetched_at), ex=self._jittered())
        with redis_errors("write bars"):
            pipe.execute()

    def claim(self, request: BarRequest, symbol: str) -> bool:
        """Return whether this caller is the one that fetches `symbol`."""
        with redis_errors("claim a symbol"):
            return claims.claim(self._client, _claim(request, symbol), CLAIM_SECONDS)

    def release(self, request: BarRequest, symbol: str, process: str = "") -> None:
        """Give up a claim, so that another caller may try: this thread's, or a process's."""
        with redis_errors("release a symbol"):
            claims.release(self._client, _claim(request, symbol), process)

    def drop(self, source: str, timeframe: str, symbols: Iterable[str]) -> None:
        """Forget the entries of `symbols`, whose bars are others now."""
        wanted = [keys.bars(source, timeframe, symbol) for symbol in symbols]
        if wanted:
            with redis_errors("drop bars"):
                self._client.delete(*wanted)

    def _jittered(self) -> int:
        """Return the expiry shortened by up to a tenth, so that entries do not end together."""
        return max(1, int(self._expiry * random.uniform(0.9, 1.0)))  # noqa: S311 - no secret


def _parts(symbols: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(symbols), _KEYS_A_TRIP):
        yield symbols[start : start + _KEYS_A_TRIP]


def _claim(request: BarRequest, symbol: str) -> str:
    return keys.claim(request.source, symbol)


def _keys(request: BarRequest, symbols: Sequence[str]) -> list[str]:
    return [keys.bars(request.source, request.timeframe, symbol) for symbol in symbols]
