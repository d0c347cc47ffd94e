"""Sessions as numbers: dates come in from providers and settings, int32 days go to bars and keys.

A session is the date of a trading day in exchange time, kept as days since 1970-01-01.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

_EPOCH_ORDINAL: Final = dt.date(1970, 1, 1).toordinal()

#: The only timeframe of bars that are fetched; weeks and months are made from it.
DAILY: Final = "1d"


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
