"""The plan of a scan: symbols and what is cached come in, batches and their cost go out."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from scanner.bars.budget import Rate

#: Most symbols of a block, so that a block's arrays stay near the processor's caches.
MAX_BLOCK: Final = 256
#: Blocks that each thread gets, so that a slow one does not hold up the scan.
BLOCKS_A_THREAD: Final = 2
#: Seconds that one request is taken to last, a slow one, so that deadlines are not too short.
_REQUEST_SECONDS: Final = 0.5


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
    one, so that each is seen and tried alone, and the others are blocks: two a thread, at
    most 256 symbols each. `threads`: of all workers. `rate`: None if requests are not limited.
    """
    wanted = frozenset(to_fetch)
    if batch_size == "auto":
        alone = [symbol for symbol in symbols if symbol in wanted]
        cached = [symbol for symbol in symbols if symbol not in wanted]
        size = min(MAX_BLOCK, max(1, math.ceil(len(cached) / (BLOCKS_A_THREAD * threads))))
        batches = [(symbol,) for symbol in alone] + _blocks(cached, size)
    else:
        batches = _blocks(symbols, int(batch_size))
    calls = sum(symbol in wanted for symbol in symbols)
    seconds = calls * _REQUEST_SECONDS / max(1, threads)
    if rate is not None:
        seconds = max(seconds, rate.seconds_for(calls))
    return ScanPlan(batches=tuple(batches), calls=calls, seconds=seconds)


def _blocks(symbols: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(symbols[i : i + size]) for i in range(0, len(symbols), size)]
