"""The exchange's sessions: a time or a day comes in, the session before or after it goes out."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any, Final

import exchange_calendars
import pandas as pd

#: The calendar of the New York Stock Exchange, which Nasdaq shares.
EXCHANGE: Final = "XNYS"


@functools.lru_cache(maxsize=2)
def _closes(year: int) -> Any:
    """Return the closing times by session around `year`; a calendar is made for a span."""
    span = {"start": f"{year - 1}-01-01", "end": f"{year + 1}-01-31"}
    return exchange_calendars.get_calendar(EXCHANGE, **span).closes


def last_closed_session(now: dt.datetime) -> dt.date:
    """Return the newest session whose closing time is not after `now`, a time with its zone."""
    if now.tzinfo is None:
        raise ValueError(f"expected a time with its zone, got {now.isoformat()}")
    closes = _closes(now.year)
    closed = int(closes.searchsorted(pd.Timestamp(now), side="right"))
    session: dt.date = closes.index[closed - 1].date()
    return session


def recent_sessions(last: dt.date) -> list[dt.date]:
    """Return the sessions of the quarter before `last`, `last` if it is one, and the one after."""
    sessions = _closes(last.year).index
    first = pd.Timestamp(last) - pd.Timedelta(days=92)
    start, stop = sessions.searchsorted([first, pd.Timestamp(last) + pd.Timedelta(days=1)])
    return [day.date() for day in sessions[start : stop + 1]]


def session_after(day: dt.date) -> dt.date:
    """Return the first session after `day`."""
    sessions = _closes(day.year).index
    session: dt.date = sessions[int(sessions.searchsorted(pd.Timestamp(day), side="right"))].date()
    return session
