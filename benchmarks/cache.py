"""A block's default columns beside its way out of the cache: a real Valkey, decoded, stacked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import redis

from benchmarks import market, timing
from benchmarks.sizes import Sizes
from benchmarks.tables import Comparison, Findings, compared
from scanner.bars.block import BarBlock, stack
from scanner.bars.cache import BarRequest
from scanner.bars.redis_cache import RedisBarCache
from scanner.indicators.compute import compute
from scanner.indicators.registry import DEFAULT_COLUMNS
from views.cli.embedded import embedded_server
from views.cli.home import Home
from views.cli.processes import Supervisor

#: How many times the reading the computing may take.
MOST: Final = 2.0

_EXPIRY: Final = 3_600


def findings(sizes: Sizes) -> Findings:
    """Return the table; the server is the embedded one of `scan up`."""
    with TemporaryDirectory() as folder, _server(Path(folder)) as url:
        cache = RedisBarCache(redis.Redis.from_url(url), _EXPIRY)
        rows = [_row(sizes, sessions, cache) for sessions in sizes.sessions]
    note = "ratio: computing / reading. Reading is MGET over the socket, zstd, checks and stacking."
    return compared("Computing a block beside reading it from Valkey", rows, [note])


def _row(sizes: Sizes, sessions: int, cache: RedisBarCache) -> Comparison:
    many = market.series(market.bars(6, sizes.block, sessions))
    symbols = [one.symbol for one in many]
    request = BarRequest(source=f"bench-{sessions}", timeframe="1d", first=0, last=sessions - 1)
    cache.write(request, many)
    block = stack(many)

    def read() -> BarBlock:
        found = cache.read(request, symbols).series
        return stack([found[symbol] for symbol in symbols])

    median = timing.interleaved(
        {"compute": lambda: compute(block, DEFAULT_COLUMNS), "read": read}, sizes
    )
    return Comparison(
        what=f"{len(DEFAULT_COLUMNS)} default columns, {sizes.block} symbols",
        sessions=sessions,
        ours=median["compute"],
        beside="reading from Valkey",
        theirs=median["read"],
        most=MOST,
    )


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    home = Home(folder=folder)
    home.create()
    command, url = embedded_server(home)
    supervisor = Supervisor(folder=folder)
    try:
        supervisor.start(command)
        supervisor.wait_ready(30.0, lambda _name: None)
        yield url
    finally:
        supervisor.stop()
