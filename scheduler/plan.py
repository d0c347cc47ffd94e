"""The plan of a scan: symbols and what is cached come in, batches and their cost go out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scanner.bars.budget import Rate
from scanner.bars.market_day import shard_of

#: Most symbols of a block, so that a block's arrays stay near the processor's caches.
MAX_BLOCK: Final = 320
#: Seconds that one request is taken to last, a slow one, so that deadlines are not too short.
_REQUEST_SECONDS: Final = 0.5

#: Bytes of a bar in an answer; gzip makes it a third.
_BAR_BYTES: Final = 105


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPlan:
    """How a scan will be done, and what it will cost."""

    batches: tuple[tuple[str, ...], ...]
    #: Requests to the provider, apart from those that list the universe.
    calls: int
    #: Seconds that those requests take if each is slow, or at the rate if that is longer.
    seconds: float


def make_plan(
    symbols: Sequence[str],
    to_fetch: Collection[str],
    *,
    batch_size: int | str,
    threads: int,
    rate: Rate | None,
) -> ScanPlan:
    """Return the batches for `symbols`.

    `to_fetch`: the symbols whose bars cost a request each. With "auto" these are batches of
    one, so that each is seen and tried alone, and the others are blocks: as few for each thread
    as a block's most symbols allow, because a task costs as much as 40 symbols. `threads`: of
    all workers. `rate`: None if requests are not limited.
    """
    wanted = frozenset(to_fetch)
    if batch_size == "auto":
        alone = [symbol for symbol in symbols if symbol in wanted]
        cached = [symbol for symbol in symbols if symbol not in wanted]
        batches = [(symbol,) for symbol in alone] + _blocks(cached, _block_size(cached, threads))
    else:
        batches = _blocks(symbols, int(batch_size))
    calls = sum(symbol in wanted for symbol in symbols)
    return ScanPlan(
        batches=tuple(batches), calls=calls, seconds=seconds_of(calls, threads=threads, rate=rate)
    )


def plan_of_store(symbols: Sequence[str], *, batch_size: int | str, threads: int) -> ScanPlan:
    """Return the batches for symbols whose series are put together from sessions.

    With "auto" a batch holds whole shards of the sessions as far as it can: each is read once.
    """
    ordered = sorted(symbols, key=lambda symbol: (shard_of(symbol), symbol))
    if batch_size != "auto":
        batches = _blocks(ordered, int(batch_size))
    else:
        size, batches, block = _block_size(symbols, threads), [], list[str]()
        for shard in _shards(ordered):
            if block and len(block) + len(shard) > size:
                batches.append(tuple(block))
                block = []
            block += shard
            while len(block) > MAX_BLOCK:
                batches.append(tuple(block[:MAX_BLOCK]))
                block = block[MAX_BLOCK:]
        batches += [tuple(block)] if block else []
    return ScanPlan(batches=tuple(batches), calls=0, seconds=0.0)


def _shards(ordered: Sequence[str]) -> list[list[str]]:
    found: dict[int, list[str]] = {}
    for symbol in ordered:
        found.setdefault(shard_of(symbol), []).append(symbol)
    return list(found.values())


def seconds_of(calls: int, *, threads: int, rate: Rate | None) -> float:
    """Return the seconds that `calls` take if each is slow, or at the rate if that is longer."""
    slow = calls * _REQUEST_SECONDS / max(1, threads)
    return slow if rate is None else max(slow, rate.seconds_for(calls))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a scan asks a provider for."""

    #: Kind of call -> how many, in the order in which they are made.
    calls: Mapping[str, int]
    #: Bytes of the answers, before gzip.
    size: int

    @property
    def total(self) -> int:
        """All calls."""
        return sum(self.calls.values())


def cost_of(calls: Mapping[str, int], *, symbols: int, sessions: int) -> Cost:
    """Return the cost of `calls` in a market of so many symbols, asked for so many sessions."""
    bars = calls.get("sessions", 0) * symbols + calls.get("bars", 0) * sessions
    kept = {kind: count for kind, count in calls.items() if count}
    return Cost(calls=kept, size=bars * _BAR_BYTES)


def _block_size(symbols: Sequence[str], threads: int) -> int:
    rounds = max(1, math.ceil(len(symbols) / (MAX_BLOCK * threads)))
    return max(1, math.ceil(len(symbols) / (rounds * threads)))


def _blocks(symbols: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(symbols[i : i + size]) for i in range(0, len(symbols), size)]
