"""Scans of the whole market by session: one cold, and live ones during an open session.

Beside the cold scan stands what its requests take without Celery: as many processes and threads
fetch and read the same sessions, and do nothing with them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import orjson
import requests

from benchmarks import environment, timing
from benchmarks.scan import scans
from benchmarks.scan.fleet import Fleet, fleet
from benchmarks.scan.sizes import ScanSizes
from benchmarks.tables import Comparison, Findings, compared
from scanner import bootstrap
from scanner.bars.polygon_market import snapshot_of
from scanner.bars.provider import MarketProvider
from scanner.settings import Settings
from scanner.spec import ScanSpec
from scanner.timeframe import day_number
from scheduler.planned import plan_scan
from worker.garbage import collect_rarely

#: Times that the requests of a cold scan alone take.
_MOST: Final = 2.0
_SNAPSHOT: Final = "/v2/snapshot/locale/us/markets/stocks/tickers"


def findings(sizes: ScanSizes, folder: Path) -> Findings:
    """Return the table."""
    days, sessions = next(iter(sizes.days.items()))
    latency = sizes.market_latency
    with fleet(
        folder / "market",
        workers=sizes.workers,
        simulator_symbols=sizes.symbols,
        simulator_latency=latency,
    ) as one:
        asked = dataclasses.replace(scans.spec(one, days), fetch="grouped")
        rows = [_cold(one, asked, sessions, sizes), *_live(one, asked, sessions, sizes)]
    note = (
        f"Each request takes {latency * 1e3:g} ms. Requests alone: the same sessions by "
        f"{sizes.workers} processes of {one.settings.threads} threads, fetched and read. Live: the "
        "bound is a warm scan of the same session + a request + 2 x reading the snapshot. "
        f"Medians of {sizes.long_runs} cold and {sizes.runs} live runs."
    )
    return compared(f"The market of {sizes.symbols:,} symbols by session", rows, [note])


def _cold(one: Fleet, asked: ScanSpec, sessions: int, sizes: ScanSizes) -> Comparison:
    scans.forget_market(one)
    days = plan_scan(one.runtime, asked).need.missing
    with _readers(one.settings) as pool:
        median = timing.turns(
            {
                "cold": partial(scans.cold_market, one, asked),
                "alone": partial(_alone, pool, days, sizes.workers),
            },
            sizes.long_runs,
        )
    return Comparison(
        what=f"cold, {len(days)} sessions",
        sessions=sessions,
        ours=median["cold"],
        beside="requests alone",
        theirs=median["alone"],
        most=_MOST,
    )


def _readers(settings: Settings) -> ProcessPoolExecutor:
    """Return processes like workers: each is there, with its provider, before a clock starts."""
    pool = ProcessPoolExecutor(
        settings.workers,
        mp_context=get_context("spawn"),
        initializer=_become_reader,
        initargs=(settings,),
    )
    list(pool.map(time.sleep, [0.5] * settings.workers))
    return pool


def _become_reader(settings: Settings) -> None:
    environment.as_worker()
    provider = bootstrap.runtime(settings).provider
    if isinstance(provider, MarketProvider):
        _READER.append((provider, ThreadPoolExecutor(settings.threads)))
    collect_rarely()


#: The provider of a reader's process, and its threads.
_READER: Final[list[tuple[MarketProvider, ThreadPoolExecutor]]] = []


def _alone(pool: ProcessPoolExecutor, days: Sequence[dt.date], processes: int) -> float:
    """Return the seconds of fetching and reading `days`."""
    began = time.perf_counter()
    list(pool.map(_read, [days[start::processes] for start in range(processes)]))
    return time.perf_counter() - began


def _read(days: Sequence[dt.date]) -> None:
    provider, threads = _READER[0]
    list(threads.map(provider.day, days))


def _live(one: Fleet, asked: ScanSpec, sessions: int, sizes: ScanSizes) -> list[Comparison]:
    open_at = _open_session(one)
    asked_live = dataclasses.replace(asked, live=True)
    scans.scan(one, asked)
    parse = _reading_of_a_snapshot(one, open_at)
    median = timing.turns(
        {
            "live": lambda: scans.scan(one, asked_live).seconds,
            "warm": partial(scans.warm, one, asked),
            "parse": lambda: timing.seconds(parse),
        },
        sizes.runs,
    )
    bound = median["warm"] + sizes.market_latency + 2.0 * median["parse"]

    def row(beside: str, theirs: float, most: float | None) -> Comparison:
        return Comparison(
            what="live",
            sessions=sessions,
            ours=median["live"],
            beside=beside,
            theirs=theirs,
            most=most,
        )

    return [
        row("warm + request + 2 x reading", bound, 1.0),
        row("warm", median["warm"], None),
        row("reading a snapshot", median["parse"], None),
    ]


def _open_session(one: Fleet) -> dt.date:
    """Move the market's clock into its last session, to the early afternoon, and return it."""
    status = requests.get(f"{one.url}/v1/marketstatus/now", timeout=30).json()
    now = dt.datetime.fromisoformat(status["serverTime"]).replace(hour=13, minute=0, second=0)
    moved = requests.post(f"{one.url}/simulator/clock", json={"now": now.isoformat()}, timeout=30)
    moved.raise_for_status()
    return now.date()


def _reading_of_a_snapshot(one: Fleet, session: dt.date) -> Callable[[], object]:
    body = requests.get(f"{one.url}{_SNAPSHOT}", timeout=60).content
    return lambda: snapshot_of(day_number(session), orjson.loads(body)["tickers"])
