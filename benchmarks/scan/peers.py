"""What others do: a pool of threads with requests and the library ta, or TA-Lib in a loop.

They take a symbol at a time, ours takes blocks; all compute the default columns that they have,
in this process, from a simulator that answers at once or from memory.
"""

from __future__ import annotations

import datetime as dt
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import requests

from benchmarks import calls, market, timing
from benchmarks.rivals import ta_lib
from benchmarks.scan.fleet import servers
from benchmarks.scan.sizes import ScanSizes
from benchmarks.sizes import SIZES
from benchmarks.tables import Comparison, Findings, compared
from scanner.bars.block import FloatArray
from scanner.indicators.compute import compute
from scanner.indicators.indicator import Column
from scanner.indicators.reference import oracle, oracle_of
from scanner.indicators.registry import DEFAULT_COLUMNS, column

_THREADS: Final = 20
#: How many times faster our compute has to be than the pool of threads as a whole.
_LEAST: Final = 60.0
_FIELDS: Final = ("o", "h", "l", "c", "v")

#: The default columns that ta has.
_COLUMNS: Final = tuple(name for name in DEFAULT_COLUMNS if oracle_of(column(name)) == "ta")

_LOCAL: Final = threading.local()


def findings(sizes: ScanSizes, folder: Path) -> Findings:
    """Return the table."""
    warnings.simplefilter("ignore")  # pandas warns at each of ta's calls
    rows: list[Comparison] = []
    with servers(folder / "peers", simulator_symbols=sizes.symbols) as (stack, _):
        url = stack.variables["SCANNER_SIMULATOR_URL"]
        days, sessions = next(iter(sizes.days.items()))
        rows += _rows(url, days, sessions, sizes)
    note = (
        f"Peers took {sizes.peers} symbols a turn; their times are scaled from them to "
        f"{sizes.symbols:,}. The pool: {_THREADS} threads, a requests.Session each, the simulator "
        "without latency, ta's classes on a data frame a symbol. ours: our compute alone, one "
        "thread, the whole market block by block."
    )
    return compared(f"Peers, {sizes.symbols:,} symbols", rows, [note])


def _rows(url: str, days: int, sessions: int, sizes: ScanSizes) -> list[Comparison]:
    addresses = _addresses(url, days, sizes.peers)
    wanted = [column(name) for name in _COLUMNS]
    values = list(map(_fetched, addresses))
    made = market.series(market.bars(8, sizes.peers, sessions))
    blocks = list(market.blocks(sizes.symbols, sessions))
    common = calls.columns(calls.DEFAULT)

    def ours(names: Sequence[str]) -> None:
        for block in blocks:
            compute(block, names)

    contenders: dict[str, Callable[[], object]] = {
        "ours": partial(ours, _COLUMNS),
        "ours beside TA-Lib": partial(ours, common),
        "pool": partial(_pool, addresses, wanted),
        "ta": lambda: [oracle(one, wanted) for one in values],
        "TA-Lib": partial(ta_lib, made, calls.DEFAULT),
    }
    turns = replace(SIZES["full" if sizes.runs > 1 else "quick"], runs=sizes.long_runs)
    median = timing.interleaved(contenders, turns)
    whole = sizes.symbols / sizes.peers
    cases = [
        (_COLUMNS, "ours", f"{_THREADS} threads, requests and ta", "pool", _LEAST),
        (_COLUMNS, "ours", "ta, compute alone", "ta", None),
        (common, "ours beside TA-Lib", "TA-Lib, compute alone", "TA-Lib", None),
    ]
    return [
        Comparison(
            what=f"{len(names)} columns",
            sessions=sessions,
            ours=median[mine],
            beside=beside,
            theirs=median[theirs] * whole,
            least=least,
        )
        for names, mine, beside, theirs, least in cases
    ]


def _addresses(url: str, days: int, count: int) -> list[str]:
    """Return the addresses of the bars of `count` symbols over `days`."""
    now = requests.get(f"{url}/v1/marketstatus/now", timeout=30).json()["serverTime"]
    last = dt.datetime.fromisoformat(now).date()
    first = last - dt.timedelta(days=days)
    listing = f"{url}/v3/reference/tickers?market=stocks&active=true&limit={count}"
    symbols = [row["ticker"] for row in requests.get(listing, timeout=30).json()["results"]]
    return [
        f"{url}/v2/aggs/ticker/{symbol}/range/1/day/{first}/{last}?adjusted=true&limit=50000"
        for symbol in symbols
    ]


def _pool(addresses: Sequence[str], wanted: Sequence[Column]) -> None:
    """Fetch and compute each symbol in one of the threads."""
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(lambda address: oracle(_fetched(address), wanted), addresses):
            pass


def _fetched(address: str) -> FloatArray:
    """Return the bars of one symbol, (5, bars)."""
    if not hasattr(_LOCAL, "session"):
        _LOCAL.session = requests.Session()
    found = _LOCAL.session.get(address, timeout=30).json()["results"]
    return np.array([[bar[name] for bar in found] for name in _FIELDS], dtype=np.float64)
