"""Sessions of the simulated exchange: no input, days since 1970-01-01 go to the markets.

Weekdays without the holidays of the New York exchanges, 2023 to 2026; half days end at 13:00.
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
_HALF_DAYS: Final = {
    2023: "07-03 11-24",
    2024: "07-03 11-29 12-24",
    2025: "07-03 11-28 12-24",
    2026: "11-27 12-24",
}


def day_of(date: dt.date) -> int:
    """Return the days from 1970-01-01 to `date`."""
    return date.toordinal() - _EPOCH


def date_of(day: int) -> dt.date:
    """Return the date that is `day` days after 1970-01-01."""
    return dt.date.fromordinal(day + _EPOCH)


def _days_of(table: dict[int, str]) -> tuple[int, ...]:
    dates = [f"{year}-{text}" for year, texts in table.items() for text in texts.split()]
    return tuple(day_of(dt.date.fromisoformat(text)) for text in dates)


@cache
def holidays() -> tuple[int, ...]:
    """Return the weekdays without a session, oldest first."""
    return _days_of(_HOLIDAYS)


@cache
def half_days() -> tuple[int, ...]:
    """Return the sessions that end at 13:00, oldest first."""
    return _days_of(_HALF_DAYS)


@cache
def all_sessions() -> npt.NDArray[np.int64]:
    """Return every session from FIRST_DAY to LAST_DAY, oldest first."""
    days = range(day_of(FIRST_DAY), day_of(LAST_DAY) + 1)
    closed = set(holidays())
    return np.array(
        [day for day in days if date_of(day).weekday() < 5 and day not in closed],
        dtype=np.int64,
    )


def open_of(day: int) -> dt.datetime:
    """Return when the session `day` begins."""
    return dt.datetime.combine(date_of(day), dt.time(9, 30), EXCHANGE_ZONE)


def close_of(day: int) -> dt.datetime:
    """Return when the session `day` ends."""
    hour = 13 if day in half_days() else 16
    return dt.datetime.combine(date_of(day), dt.time(hour), EXCHANGE_ZONE)


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
