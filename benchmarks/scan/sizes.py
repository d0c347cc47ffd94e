"""How much the theme `scan` measures: all of it, or as little as shows that it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.market import MARKET


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSizes:
    """The sizes of one run of the theme."""

    #: Turns of warm scans and of what stands beside them, and of those that fetch or are large.
    runs: int
    long_runs: int
    #: Symbols of the simulated market.
    symbols: int
    #: Calendar days of lookback -> the sessions that these are.
    days: dict[int, int]
    #: Lookbacks of the ancestor's table, in days.
    ancestor_days: tuple[int, int]
    #: Seconds that each request to the simulator takes in a cold scan.
    latency: float
    #: The same of a scan of whole sessions.
    market_latency: float
    #: Worker processes: of the usual fleet, and of those that are compared.
    workers: int
    fleets: tuple[int, ...]
    #: Series that each process keeps, of fleets that are compared.
    local_bars: tuple[int, ...]
    #: Symbols of a task where blocks fetch.
    block: int
    #: Symbols of the markets that show growth; up to the usual size bars are fetched by HTTP.
    markets: tuple[int, ...]
    #: Symbols that peers fetch and compute; their times are scaled from them.
    peers: int
    #: Symbols of the market of the hourly scans, and the seconds that stand for an hour.
    hourly: int
    hour: float


FULL: Final = ScanSizes(
    runs=7,
    long_runs=3,
    symbols=MARKET,
    days={400: 275, 150: 103},
    ancestor_days=(150, 90),
    latency=0.1,
    market_latency=0.2,
    workers=4,
    fleets=(1, 2, 4, 8),
    local_bars=(0, 512, 1_024, 6_000),
    block=8,
    markets=(1_000, MARKET, 10_000, 20_000, 50_000),
    peers=200,
    hourly=200,
    hour=3.0,
)

QUICK: Final = ScanSizes(
    runs=1,
    long_runs=1,
    symbols=40,
    days={150: 103},
    ancestor_days=(150, 90),
    latency=0.01,
    market_latency=0.02,
    workers=1,
    fleets=(1, 2),
    local_bars=(0, 60),
    block=8,
    markets=(20, 60),
    peers=4,
    hourly=4,
    hour=1.0,
)

SIZES: Final = {"full": FULL, "quick": QUICK}
