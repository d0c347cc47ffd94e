"""Hourly scans: how often each symbol is asked for while bars live for one hour or for four.

An hour is some seconds here. What expires does so by that clock: after each scan the life that
the scanner gave to each new entry is scaled, from the scan's start, and Valkey ends it.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from pathlib import Path
from typing import Final, cast

import requests

from benchmarks.scan import scans
from benchmarks.scan.fleet import Fleet, fleet, waited
from benchmarks.scan.sizes import ScanSizes
from benchmarks.tables import Findings
from scanner import keys

_HOURS: Final = 8
_HOUR: Final = 3_600
#: Hours that bars live -> requests a symbol that are expected of eight scans by symbol.
_EXPECTED: Final = {1: 8, 4: 2}
#: Share of the requests of the first way that scans by session may take.
_BY_SESSION: Final = 0.01


def findings(sizes: ScanSizes, folder: Path) -> Findings:
    """Return the table; each way has a fleet and a simulator of its own."""
    rows = []
    for hours, expected in _EXPECTED.items():
        calls = _calls(hours, "symbols", sizes, folder)
        met = "yes" if calls == expected else "NO"
        rows.append(("by symbol", f"{hours} h", str(_HOURS), f"{calls:g}", str(expected), met))
    most = _EXPECTED[1] * _BY_SESSION
    calls = _calls(4, "grouped", sizes, folder)
    met = "yes" if calls <= most else "NO"
    rows.append(("by session", "4 h", str(_HOURS), f"{calls:.3f}", f"at most {most:g}", met))
    note = (
        f"By symbol {sizes.hourly} symbols, by session {sizes.symbols:,}; an hour takes "
        f"{sizes.hour:g} s. Calls: by symbol the requests for its bars, by session all requests, "
        "counted by the simulator, for each symbol. The scanner sets the life of each entry, up to "
        "a tenth shorter than what is asked; here it is scaled from the start of the scan."
    )
    return Findings(
        title="Eight hourly scans",
        heads=("fetch", "bars expire after", "scans", "calls a symbol", "target", "met"),
        rows=rows,
        notes=[note],
    )


def _calls(hours: int, fetch: str, sizes: ScanSizes, folder: Path) -> float:
    """Return the requests a symbol of eight scans, an hour apart."""
    whole = fetch == "grouped"
    with fleet(
        folder / f"hours-{fetch}-{hours}",
        workers=sizes.workers if whole else 1,
        simulator_symbols=sizes.symbols if whole else sizes.hourly,
        bars_expiry=hours * _HOUR,
    ) as one:
        asked = dataclasses.replace(scans.spec(one, min(sizes.days)), fetch=fetch)
        began = time.time()
        for hour in range(_HOURS):
            due = began + hour * sizes.hour
            waited(lambda due=due: time.time() >= due, sizes.hour + 1, "the next hour")
            scans.scan(one, asked)
            _scale_lives(one, due, sizes.hour)
        return _all_requests(one) / sizes.symbols if whole else _requests(one)


def _scale_lives(one: Fleet, began: float, hour: float) -> None:
    """Let entries that the last scan wrote end by the fast clock, in which it took no time."""
    client = one.runtime.redis
    found = list(client.scan_iter(f"{keys.PREFIX}bars:{one.runtime.source}:*", count=1_000))
    for key in found:
        left = client.ttl(key)
        # What was scaled before lives for seconds; what is new, for at least 0.9 h.
        if left > 0.8 * _HOUR:
            client.pexpireat(key, int(1e3 * (began + left / _HOUR * hour)))


def _counts(one: Fleet) -> dict[str, dict[str, int]]:
    found = requests.get(f"{one.url}/simulator/counts", timeout=10).json()
    return cast("dict[str, dict[str, int]]", found)


def _all_requests(one: Fleet) -> int:
    return sum(_counts(one)["requests"].values())


def _requests(one: Fleet) -> float:
    counts = _counts(one)
    listed = [count for symbol, count in counts["bars"].items() if symbol != "SPY"]
    return statistics.fmean(listed)
