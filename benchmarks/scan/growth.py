"""Growth: warm scans of markets of many sizes, the memory of every process and of Redis."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import market, timing
from benchmarks.scan import scans
from benchmarks.scan.fleet import Fleet, fleet
from benchmarks.scan.sizes import ScanSizes
from benchmarks.scan.warm import fill
from benchmarks.tables import Findings, duration
from scanner.spec import ScanSpec
from scheduler.planned import plan_scan
from simulator.sessions import all_sessions

#: Bytes that all processes and Redis may take together, for the usual market.
_MOST: Final = 1.5e9

_HEADS: Final = (
    "symbols",
    "sessions",
    "time",
    "seconds per 1,000 symbols",
    "workers",
    "control",
    "simulator",
    "server",
    "Redis data",
    "in all",
    "target",
    "met",
)


def findings(sizes: ScanSizes, folder: Path) -> Findings:
    """Return the table; each market has a fleet of its own, one after the other."""
    days, sessions = next(iter(sizes.days.items()))
    rows = [_row(symbols, days, sessions, sizes, folder) for symbols in sizes.markets]
    note = (
        "Memory of processes is the peak of their resident memory since they started, shared "
        "pages counted in each; workers: all of them together; Redis data: used_memory after one "
        f"warm scan. Up to {sizes.symbols:,} symbols the bars come from the simulator by HTTP; "
        "those of larger markets are made and written into the cache as workers write them."
    )
    return Findings(
        title=f"Markets of many sizes, warm scans by {sizes.workers} workers",
        heads=_HEADS,
        rows=rows,
        notes=[note],
    )


def _row(symbols: int, days: int, sessions: int, sizes: ScanSizes, folder: Path) -> tuple[str, ...]:
    fetched = symbols <= sizes.symbols
    place = folder / f"market-{symbols}"
    size = symbols if fetched else 1
    with fleet(place, workers=sizes.workers, simulator_symbols=size, deadline=600) as one:
        if fetched:
            asked = scans.spec(one, days)
            fill(one, days, sizes)
        else:
            asked = _written(one, symbols, days, place)
        scans.warm(one, asked)
        used = int(one.runtime.redis.info("memory")["used_memory"])
        runs = sizes.runs if fetched else sizes.long_runs
        spent = timing.turns({"warm": partial(scans.warm, one, asked)}, runs)["warm"]
        peaks = _peaks(one)
    whole = sum(peaks.values())  # the data are in the server
    usual = symbols == sizes.symbols
    return (
        f"{symbols:,}",
        str(sessions),
        duration(spent),
        f"{spent / symbols * 1e3:.3f}",
        *(_megabytes(size) for size in (*peaks.values(), used, whole)),
        f"at most {_MOST / 1e9:g} GB" if usual else "-",
        ("yes" if whole <= _MOST else "NO") if usual else "-",
    )


def _written(one: Fleet, symbols: int, days: int, place: Path) -> ScanSpec:
    """Write a made market into the cache and return the request for a scan of it."""
    names = [f"S{number:06d}" for number in range(symbols)]
    listing = place / "symbols.txt"
    listing.write_text("\n".join(names) + "\n")
    asked = scans.spec(one, days, universe=str(listing))
    request = plan_scan(one.runtime, asked).need.request
    past = all_sessions()
    dates = past[(past >= request.first) & (past <= request.last)].astype("int32")
    for start in range(0, symbols, market.BLOCK):
        part = names[start : start + market.BLOCK]
        made = market.series(market.bars(start, len(part), dates.size))
        series = [
            dataclasses.replace(bars, symbol=name, sessions=dates)
            for name, bars in zip(part, made, strict=True)
        ]
        one.runtime.tools.cache.write(request, series)
    return asked


def _peaks(one: Fleet) -> dict[str, float]:
    """Return the peak memory of the workers together, of control, simulator and server."""
    peaks = {"workers": 0.0, "control": 0.0, "simulator": 0.0, "valkey": 0.0}
    for name, pid in one.pids.items():
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        peak = next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
        peaks["workers" if name.startswith("scan") else name] += peak
    return peaks


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"
