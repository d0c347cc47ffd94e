"""Whether a session that is kept is still true: moments come in, which to ask for again goes out.

A copy is asked for again when its session has closed since, half an hour after the close, and on
the mornings of the next two sessions, because volumes still change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scanner.bars.store import DayFacts
from scanner.timeframe import EXCHANGE_ZONE, day_number
from scheduler.sessions import Calendar

#: When corrections of the session before are out, in exchange time.
MORNING: Final = dt.time(6)

#: Days after which an empty answer is believed.
_EMPTY_DAYS: Final = 3

#: A copy that was taken at the close itself is of a tape that may be a quarter of an hour old.
SETTLED: Final = dt.timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """What has to be asked for before sessions can be scanned."""

    #: Sessions without a copy, or with one of when they were open.
    missing: tuple[dt.date, ...]
    #: Sessions with a final copy that is asked for once more.
    due: tuple[dt.date, ...]

    @property
    def wanted(self) -> tuple[dt.date, ...]:
        """Both, newest first: a plan that ends early has the sessions that count most."""
        return tuple(sorted((*self.missing, *self.due), reverse=True))


def freshness(
    sessions: Sequence[dt.date],
    known: Mapping[int, DayFacts],
    calendar: Calendar,
    now: dt.datetime,
) -> Freshness:
    """Return which of `sessions` have to be asked for at `now`, by the market's clock."""
    missing, due = [], []
    for day in sessions:
        facts = known.get(day_number(day))
        if facts is None or not _is_final(day, facts, calendar):
            missing.append(day)
        elif any(facts.asked_at < moment <= now.timestamp() for moment in _moments(day, calendar)):
            due.append(day)
    return Freshness(missing=tuple(missing), due=tuple(due))


def good_from(day: dt.date, calendar: Calendar, now: dt.datetime) -> float:
    """Return since when a copy of `day` is as good as one of `now`, seconds since 1970-01-01.

    While the session is open only one of this moment is.
    """
    moments = [calendar.close_of(day).timestamp(), *_moments(day, calendar)]
    return max((one for one in moments if one <= now.timestamp()), default=now.timestamp())


def _is_final(day: dt.date, facts: DayFacts, calendar: Calendar) -> bool:
    """Return whether a copy was taken after the close and says something."""
    if facts.asked_at < calendar.close_of(day).timestamp():
        return False
    return facts.symbols > 0 or may_be_empty(day, facts.asked_at)


def may_be_empty(day: dt.date, asked_at: float) -> bool:
    """Return whether an empty answer is believed, `asked_at` in seconds since 1970-01-01.

    It is some days after `day`: it was no session then. Before, it is not published yet.
    """
    asked = dt.datetime.fromtimestamp(asked_at, EXCHANGE_ZONE).date()
    return (asked - day).days >= _EMPTY_DAYS


def _moments(day: dt.date, calendar: Calendar) -> list[float]:
    """Return when a copy of `day` is asked for again, seconds since 1970-01-01."""
    next_day = calendar.after(day)
    days = (next_day, calendar.after(next_day))
    mornings = [dt.datetime.combine(one, MORNING, EXCHANGE_ZONE) for one in days]
    return [moment.timestamp() for moment in (calendar.close_of(day) + SETTLED, *mornings)]
