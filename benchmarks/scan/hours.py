"""Hourly scans: how often each symbol is asked for while bars live for one hour or for four.

An hour is some seconds here. What expires does so by that clock: after each scan the life that
the scanner gave to each new entry is scaled, from the scan's start, and Valkey ends it.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any, Final, cast

import requests

from benchmarks.scan import scans
from benchmarks.scan.fleet import Fleet, fleet, waited
from benchmarks.scan.sizes import ScanSizes
from benchmarks.tables import Findings
from scanner import keys

_HOURS: Final = 8
_HOUR: Final = 3_600
#: Hours that bars live -> requests a symbol that are expected of eight scans.
_EXPECTED: Final = {1: 8, 4: 2}


def findings(sizes: ScanSizes, folder: Path) -> Findings:
    """Return the table; each expiry has a fleet and a simulator of its own."""
    days = min(sizes.days)
    rows = []
    for hours, expected in _EXPECTED.items():
        calls = _calls(hours, days, sizes, folder)
        met = "yes" if calls == expected else "NO"
        rows.append((f"{hours} h", str(_HOURS), f"{calls:g}", str(expected), met))
    note = (
        f"{sizes.hourly} symbols; an hour takes {sizes.hour:g} s. Calls: requests for the bars of "
        "a symbol, counted by the simulator, on average. The scanner sets the life of each entry, "
        "up to a tenth shorter than what is asked; here it is scaled from the start of the scan."
    )
    return Findings(
        title="Eight hourly scans",
        heads=("bars expire after", "scans", "calls a symbol", "target", "met"),
        rows=rows,
        notes=[note],
    )


def _calls(hours: int, days: int, sizes: ScanSizes, folder: Path) -> float:
    """Return the requests a symbol of eight scans, an hour apart."""
    with fleet(
        folder / f"hours-{hours}",
        workers=1,
        simulator_symbols=sizes.hourly,
        bars_expiry=hours * _HOUR,
    ) as one:
        asked = scans.spec(one, days)
        began = time.time()
        for hour in range(_HOURS):
            due = began + hour * sizes.hour
            waited(lambda due=due: time.time() >= due, sizes.hour + 1, "the next hour")
            scans.scan(one, asked)
            _scale_lives(one, due, sizes.hour)
        return _requests(one)


def _scale_lives(one: Fleet, began: float, hour: float) -> None:
    """Let entries that the last scan wrote end by the fast clock, in which it took no time."""
    client = one.runtime.redis
    found = list(client.scan_iter(keys.bars(one.runtime.source, "*", "*"), count=1_000))
    for key in found:
        left = client.ttl(key)
        # What was scaled before lives for seconds; what is new, for at least 0.9 h.
        if left > 0.8 * _HOUR:
            client.pexpireat(key, int(1e3 * (began + left / _HOUR * hour)))


def _requests(one: Fleet) -> float:
    counts = cast("dict[str, Any]", requests.get(f"{one.url}/simulator/counts", timeout=10).json())
    listed = [count for symbol, count in counts["bars"].items() if symbol != "SPY"]
    return statistics.fmean(listed)
