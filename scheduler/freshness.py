"""Whether a session that is kept is still true: moments come in, which to ask for again goes out.

A copy is asked for again when its session has closed since, and once in each of the two mornings
after it, because volumes still change: on the morning of the next session, and of the one after.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scanner.bars.store import DayFacts
from scanner.timeframe import day_number
from scheduler.sessions import EXCHANGE_ZONE, Calendar

#: When corrections of the session before are out, in exchange time.
MORNING: Final = dt.time(6)

#: An empty answer about a session is believed after so many days: it was no session then.
_EMPTY_DAYS: Final = 3


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
        if facts is None or not _is_final(day, facts, calendar, now):
            missing.append(day)
        elif any(facts.asked_at < moment <= now.timestamp() for moment in _mornings(day, calendar)):
            due.append(day)
    return Freshness(missing=tuple(missing), due=tuple(due))


def _is_final(day: dt.date, facts: DayFacts, calendar: Calendar, now: dt.datetime) -> bool:
    """Return whether a copy was taken after the close and says something."""
    if facts.asked_at < calendar.close_of(day).timestamp():
        return False
    return facts.symbols > 0 or (now.date() - day).days >= _EMPTY_DAYS


def _mornings(day: dt.date, calendar: Calendar) -> list[float]:
    """Return the mornings of the two sessions after `day`, seconds since 1970-01-01."""
    next_day = calendar.after(day)
    days = (next_day, calendar.after(next_day))
    return [dt.datetime.combine(one, MORNING, EXCHANGE_ZONE).timestamp() for one in days]
