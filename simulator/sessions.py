"""Sessions of the simulated exchange: no input, days since 1970-01-01 go to the markets.

Weekdays without the holidays of the New York exchanges, 2023 to 2026, half days included.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

EXCHANGE_ZONE: Final = ZoneInfo("America/New_York")

#: First and last day that the list of holidays covers.
FIRST_DAY: Final = dt.date(2023, 1, 1)
LAST_DAY: Final = dt.date(2026, 12, 31)

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()

_HOLIDAYS: Final = {
    2023: "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25",
    2024: "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    2025: "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
}


_CLOSE: Final = dt.time(16)
_EARLY_CLOSE: Final = dt.time(13)
_EARLY: Final = frozenset(
    {
        *("2023-07-03", "2023-11-24", "2024-07-03", "2024-11-29", "2024-12-24"),
        *("2025-07-03", "2025-11-28", "2025-12-24", "2026-11-27", "2026-12-24"),
    }
)


def day_of(date: dt.date) -> int:
    """Return the days from 1970-01-01 to `date`."""
    return date.toordinal() - _EPOCH


def date_of(day: int) -> dt.date:
    """Return the date that is `day` days after 1970-01-01."""
    return dt.date.fromordinal(day + _EPOCH)


@cache
def all_sessions() -> npt.NDArray[np.int64]:
    """Return every session from FIRST_DAY to LAST_DAY, oldest first."""
    holidays = {
        day_of(dt.date.fromisoformat(f"{year}-{text}"))
        for year, texts in _HOLIDAYS.items()
        for text in texts.split()
    }
    days = range(day_of(FIRST_DAY), day_of(LAST_DAY) + 1)
    return np.array(
        [day for day in days if date_of(day).weekday() < 5 and day not in holidays],
        dtype=np.int64,
    )


def closing_time(date: dt.date) -> dt.time:
    """Return when the session `date` closes in New York: 13:00 before some holidays."""
    return _EARLY_CLOSE if date.isoformat() in _EARLY else _CLOSE


def parse_date(text: str) -> dt.date:
    """Return the date written as YYYY-MM-DD."""
    return dt.date.fromisoformat(text)


@cache
def milliseconds(day: int, hour: int) -> int:
    """Return the epoch milliseconds of `hour` o'clock in New York on `day`."""
    date = date_of(day)
    moment = dt.datetime(date.year, date.month, date.day, hour, tzinfo=EXCHANGE_ZONE)
    return int(moment.timestamp()) * 1000


def day_at(epoch_ms: int) -> int:
    """Return the New York day in which the moment `epoch_ms` lies."""
    moment = dt.datetime.fromtimestamp(epoch_ms / 1000, tz=EXCHANGE_ZONE)
    return day_of(moment.date())
