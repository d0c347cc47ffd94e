"""Sessions as numbers: dates come in from providers and settings, int32 days go to bars and keys.

A session is the date of a trading day in exchange time, kept as days since 1970-01-01; the
periods of a timeframe are numbered, and `bars/resample.py` makes a bar of each.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    # The command line reads dates by this module, and its help has no use for numpy.
    import numpy as np
    import numpy.typing as npt

_EPOCH_ORDINAL: Final = dt.date(1970, 1, 1).toordinal()

#: The zone of exchange time.
EXCHANGE_ZONE: Final = ZoneInfo("America/New_York")

#: Days from a Monday to 1970-01-01, a Thursday.
_EPOCH_WEEKDAY: Final = 3

#: The only timeframe of bars that are fetched; weeks and months are made from it.
DAILY: Final = "1d"
WEEKLY: Final = "1w"
MONTHLY: Final = "1mo"
TIMEFRAMES: Final = (DAILY, WEEKLY, MONTHLY)


def day_number(date: dt.date) -> int:
    """Return the days from 1970-01-01 to `date`."""
    return date.toordinal() - _EPOCH_ORDINAL


def day_date(day: int) -> dt.date:
    """Return the date that is `day` days after 1970-01-01."""
    return dt.date.fromordinal(int(day) + _EPOCH_ORDINAL)


def parse_day(text: str) -> dt.date:
    """Return the date written as YYYY-MM-DD; ValueError says what was expected."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"expected a date as YYYY-MM-DD, got {text!r}") from error


def next_weekday(day: int) -> int:
    """Return the first day after `day` that is neither a Saturday nor a Sunday."""
    weekday = (day + _EPOCH_WEEKDAY) % 7
    return day + (7 - weekday if weekday > 3 else 1)


def next_weekdays(days: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return `next_weekday` of each of `days`."""
    weekdays = (days + _EPOCH_WEEKDAY) % 7
    return days + 1 + (weekdays > 3) * (6 - weekdays)


def period_numbers(days: npt.NDArray[np.int32], timeframe: str) -> npt.NDArray[np.int32]:
    """Return the number of the period of `timeframe` that each of `days` is in.

    `days`: days since 1970-01-01 in any shape, which is kept. A period is a day, a week from
    Monday to Sunday or a calendar month; number 0 holds 1970-01-01 and the next one is 1.
    ValueError: no such timeframe.
    """
    if timeframe == DAILY:
        return days
    if timeframe == WEEKLY:
        return (days + _EPOCH_WEEKDAY) // 7
    if timeframe == MONTHLY:
        return days.astype("datetime64[D]").astype("datetime64[M]").astype("int32")
    raise ValueError(f"expected a timeframe of {', '.join(TIMEFRAMES)}, got {timeframe!r}")
