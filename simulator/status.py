"""Bodies of the market status: the simulator's time comes in, JSON payloads go to `app`.

The sessions of New York by day: early hours from 04:00, late ones for four hours after the close.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from simulator.sessions import (
    all_sessions,
    close_of,
    date_of,
    day_of,
    half_days,
    holidays,
    open_of,
)

_EARLY: Final = dt.time(4)
_LATE: Final = dt.timedelta(hours=4)
_EXCHANGES: Final = ("NYSE", "NASDAQ", "OTC")

#: Holidays and half days by the month in which they fall; January has three.
_NAMES: Final = {
    2: "Washington's Birthday",
    3: "Good Friday",
    4: "Good Friday",
    5: "Memorial Day",
    6: "Juneteenth",
    7: "Independence Day",
    9: "Labor Day",
    11: "Thanksgiving",
    12: "Christmas",
}


def status_now(now: dt.datetime) -> dict[str, Any]:
    """Return whether the market is open, and what time it is."""
    hours = _hours(now)
    shown = "extended-hours" if hours in {"early", "late"} else hours
    over_the_counter = "open" if hours == "open" else "closed"
    return {
        "market": shown,
        "serverTime": now.isoformat(timespec="seconds"),
        "earlyHours": hours == "early",
        "afterHours": hours == "late",
        "exchanges": {"nasdaq": shown, "nyse": shown, "otc": over_the_counter},
    }


def upcoming(now: dt.datetime) -> list[dict[str, Any]]:
    """Return the holidays and half days after today, the next one first."""
    today = day_of(now.date())
    days = sorted(day for day in (*holidays(), *half_days()) if day > today)
    return [_row(day, exchange) for day in days for exchange in _EXCHANGES]


def _hours(now: dt.datetime) -> str:
    day = day_of(now.date())
    if day not in all_sessions():
        return "closed"
    close = close_of(day)
    if open_of(day) <= now < close:
        return "open"
    if now >= close:
        return "late" if now < close + _LATE else "closed"
    return "early" if now.time() >= _EARLY else "closed"


def _row(day: int, exchange: str) -> dict[str, Any]:
    date = date_of(day)
    row = {"date": date.isoformat(), "exchange": exchange, "name": _name(date)}
    if day in holidays():
        return row | {"status": "closed"}
    times = {"open": _utc(open_of(day)), "close": _utc(close_of(day))}
    return row | {"status": "early-close"} | times


def _name(date: dt.date) -> str:
    if date.month > 1:
        return _NAMES[date.month]
    if date.day < 3:
        return "New Year's Day"
    return "National Day of Mourning" if date.day < 15 else "Martin Luther King, Jr. Day"


def _utc(time: dt.datetime) -> str:
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
