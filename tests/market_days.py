"""Scans of a scripted market for tests of the fetch of sessions, in this process."""

from __future__ import annotations

import datetime as dt

from runtime_builders import messages, runtime_on
from scan_builders import LAST, ScriptedMarket, series

from scheduler.dispatch import start_scan
from scheduler.request import request_scan, spec_of
from worker import tasks
from worker.finish import finish

EDT = dt.timezone(dt.timedelta(hours=-4))
SYMBOLS = [f"S{number:02}" for number in range(12)]
#: The lookback holds the sessions of two weeks, without the fourth of July.
DAYS = 14
EVENING = dt.datetime(2025, 7, 9, 16, 20, tzinfo=EDT)


def market_of(**options):
    """Return a market of twelve symbols with bars on each day."""
    bars = {symbol: series(symbol, 60, LAST + 20, seed=at) for at, symbol in enumerate(SYMBOLS)}
    return ScriptedMarket(bars, clock=options.pop("clock", EVENING), **options)


def runtime_of(queue, market, **options):
    """Return a runtime that asks for sessions."""
    usual = {"fetch": "grouped", "lookback_days": DAYS, "sample": 0}
    return runtime_on(queue, market, **usual | options)


def work(queue, monkeypatch, runtime):
    """Do all that is on the queue of scans, in this process, as a worker does."""
    monkeypatch.setattr("worker.runtime.current", lambda: runtime)
    done = messages(queue, "scan")
    queue.delete("scan")
    for name, arguments in done:
        getattr(tasks, name).run(*arguments)
    return [name for name, _ in done]


def scanned(queue, monkeypatch, runtime, **changes):
    """Scan once and return the report; the reconciler stands for the chords' ends."""
    scan_id = request_scan(runtime, spec_of(runtime, **changes))
    start_scan(runtime, scan_id)
    for _ in range(10):
        names = work(queue, monkeypatch, runtime)
        if "scan_symbols" in names or not names:
            break
        start_scan(runtime, scan_id, ask_again=False)
    finish(runtime, scan_id)
    return runtime.reports.load(scan_id)


def asked(market):
    """Return what a market was asked for since the last look, in order without the splits."""
    calls, market.calls = market.calls, []
    return [call for call in calls if call not in {"splits", "listing"} and "sample" not in call]
