"""Bars that were fetched before: `bars/load.py` reads and writes a BarCache.

MemoryBarCache keeps entries in this process; RedisBarCache (`redis_cache.py`) shares them.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from scanner.bars.block import BarSeries
from scanner.bars.codec import HEADER_SIZE, BrokenEntry, EntryHeader, covering, decode, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRequest:
    """Which bars a scan needs of each symbol."""

    source: str
    timeframe: str
    #: First and last session, days since 1970-01-01, both inclusive.
    first: int
    last: int
    #: Whether series are put together from the sessions of the whole market, instead of being
    #: fetched by symbol.
    grouped: bool = False
    #: The exchange's sessions from first to last; empty: they are not known.
    sessions: tuple[int, ...] = ()
    #: Of sessions that are put together: entries that are older than this, in seconds since
    #: 1970-01-01, do not answer, and prices are in the shares of the day `until`.
    since: float = 0.0
    until: int = 0
    #: The session whose forming bars are laid over those up to `last`; 0: none is.
    live: int = 0

    @property
    def newest(self) -> int:
        """The session that rows have to end on."""
        return self.live or self.last


@dataclass(frozen=True, slots=True)
class CacheRead:
    """What a cache had of the symbols that were asked for."""

    series: dict[str, BarSeries] = field(default_factory=dict)
    #: Reason -> symbols: `absent`, `broken` or `short` (does not cover the request).
    misses: Counter[str] = field(default_factory=Counter)
    #: How many of the series were in this process already.
    local: int = 0


class BarCache(Protocol):
    """A store of entries with an expiry."""

    def read(self, request: BarRequest, symbols: Sequence[str]) -> CacheRead:
        """Return the series that cover `request`, cut to it, and count the misses."""
        ...

    def covered(self, request: BarRequest, symbols: Sequence[str]) -> set[str]:
        """Return the symbols that `read` would answer, by reading headers only."""
        ...

    def write(
        self, request: BarRequest, series: Iterable[BarSeries], fetched_at: float | None = None
    ) -> None:
        """Store final bars that were fetched for `request`, just now or at `fetched_at`."""
        ...

    def claim(self, request: BarRequest, symbol: str) -> bool:
        """Return whether this caller is the one that fetches `symbol`; a claim ends by itself."""
        ...

    def release(self, request: BarRequest, symbol: str, process: str = "") -> None:
        """Give up a claim, so that another caller may try: this thread's, or a process's."""
        ...


def read_entries(
    request: BarRequest, symbols: Sequence[str], entries: Sequence[bytes | None]
) -> CacheRead:
    """Return what `entries`, one a symbol, hold for `request`."""
    found = CacheRead()
    for symbol, entry in zip(symbols, entries, strict=True):
        if entry is None:
            found.misses["absent"] += 1
            continue
        try:
            header, series = decode(symbol, entry)
        except BrokenEntry:
            found.misses["broken"] += 1
            continue
        if header.covers(request.first, request.last, request.since):
            found.series[symbol] = series.between(request.first, request.last)
        else:
            found.misses["short"] += 1
    return found


def covered_of(request: BarRequest, symbols: Sequence[str], heads: bytes) -> set[str]:
    """Return the symbols whose entries cover `request`.

    `heads`: the first HEADER_SIZE bytes of each entry, zeros where there is none.
    """
    covers = covering(heads, request.first, request.last, request.since)
    return set(itertools.compress(symbols, covers))


def entry_of(request: BarRequest, series: BarSeries, fetched_at: float | None = None) -> bytes:
    """Return the entry for final bars that were fetched for `request`, just now if not earlier."""
    header = EntryHeader(
        first=request.first,
        last=request.last,
        as_of=request.last,
        bars=len(series),
        fetched_at=time.time() if fetched_at is None else fetched_at,
        provisional=False,
    )
    return encode(series, header)


class MemoryBarCache:
    """Entries in this process, for one scan without Redis and for tests."""

    def __init__(self, expiry: float = 14_400.0) -> None:
        self._expiry = expiry
        self._entries: dict[tuple[str, str, str], tuple[float, bytes]] = {}
        self._claims: set[str] = set()
        self._lock = threading.Lock()

    def _get(self, request: BarRequest, symbol: str) -> bytes | None:
        key = (request.source, request.timeframe, symbol)
        ends, entry = self._entries.get(key, (0.0, b""))
        return entry if ends > time.monotonic() else None

    def read(self, request: BarRequest, symbols: Sequence[str]) -> CacheRead:
        """Return the series that cover `request`, cut to it, and count the misses."""
        return read_entries(request, symbols, [self._get(request, s) for s in symbols])

    def covered(self, request: BarRequest, symbols: Sequence[str]) -> set[str]:
        """Return the symbols that `read` would answer."""
        entries = [self._get(request, symbol) or b"" for symbol in symbols]
        heads = [entry[:HEADER_SIZE].ljust(HEADER_SIZE, b"\0") for entry in entries]
        return covered_of(request, symbols, b"".join(heads))

    def write(
        self, request: BarRequest, series: Iterable[BarSeries], fetched_at: float | None = None
    ) -> None:
        """Store final bars that were fetched for `request`, just now or at `fetched_at`."""
        ends = time.monotonic() + self._expiry
        for one in series:
            key = (request.source, request.timeframe, one.symbol)
            self._entries[key] = (ends, entry_of(request, one, fetched_at))

    def claim(self, request: BarRequest, symbol: str) -> bool:  # noqa: ARG002 - one source a process
        """Return whether this caller is the one that fetches `symbol`."""
        with self._lock:
            taken = symbol in self._claims
            self._claims.add(symbol)
        return not taken

    def release(self, request: BarRequest, symbol: str, process: str = "") -> None:  # noqa: ARG002 - as above
        """Give up a claim, so that another caller may try."""
        with self._lock:
            self._claims.discard(symbol)
