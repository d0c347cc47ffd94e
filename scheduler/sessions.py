"""The exchange's sessions: times and days come in, the sessions around them go out.

exchange_calendars knows holidays and early closes; a file of overrides adds what came after it was
made: a line is a date and `closed`, or a date and the early closing time in exchange time.
"""

from __future__ import annotations

import datetime as dt
import functools
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import exchange_calendars

from scanner.bars.provider import MarketProvider, Provider
from scanner.errors import ConfigError
from scanner.given_file import read_given
from scanner.settings import Settings
from scanner.timeframe import EXCHANGE_ZONE

#: What an override says of a day: it is closed, or it closes at this time.
Override = dt.time | None

#: Most bytes of a file of overrides.
_MAX_OVERRIDES: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Sessions in order, and the moments at which each opens and closes, in UTC."""

    days: tuple[dt.date, ...]
    opens: tuple[dt.datetime, ...]
    closes: tuple[dt.datetime, ...]

    def last_closed(self, now: dt.datetime) -> dt.date:
        """Return the newest session whose closing time is not after `now`."""
        return self.days[bisect_right(self.closes, _with_zone(now)) - 1]

    def open_at(self, now: dt.datetime) -> dt.date | None:
        """Return the session that is open at `now`, if one is."""
        place = bisect_right(self.opens, _with_zone(now)) - 1
        return self.days[place] if now < self.closes[place] else None

    def close_of(self, day: dt.date) -> dt.datetime:
        """Return when the session `day` closes; KeyError if it is none."""
        place = bisect_left(self.days, day)
        if place == len(self.days) or self.days[place] != day:
            raise KeyError(day)
        return self.closes[place]

    def between(self, first: dt.date, last: dt.date) -> Sequence[dt.date]:
        """Return the sessions with first <= session <= last."""
        return self.days[bisect_left(self.days, first) : bisect_right(self.days, last)]

    def after(self, day: dt.date) -> dt.date:
        """Return the first session after `day`."""
        return self.days[bisect_right(self.days, day)]


def calendar_of(settings: Settings, first: dt.date, last: dt.date | None = None) -> Calendar:
    """Return the exchange's sessions from the year before `first` to the one after `last`.

    ConfigError if there is no such exchange or the overrides cannot be read.
    """
    overrides: Mapping[dt.date, Override] = {}
    if settings.closures is not None:
        overrides = read_overrides(settings.closures)
    changes = tuple(sorted(overrides.items(), key=lambda item: item[0]))
    return _calendar(settings.exchange, first.year - 1, (last or first).year + 1, changes)


@functools.lru_cache(maxsize=4)
def _calendar(
    exchange: str, first: int, last: int, changes: tuple[tuple[dt.date, Override], ...]
) -> Calendar:
    span = {"start": f"{first}-01-01", "end": f"{last}-01-31"}
    try:
        schedule = exchange_calendars.get_calendar(exchange, **span).schedule
    except exchange_calendars.errors.InvalidCalendarName as error:
        raise ConfigError(
            f"SCANNER_EXCHANGE: expected a calendar's name such as XNYS, got {exchange!r}"
        ) from error
    rows = {
        day.date(): (opens.to_pydatetime(), closes.to_pydatetime())
        for day, opens, closes in zip(
            schedule.index, schedule["open"], schedule["close"], strict=True
        )
    }
    for day, closing in changes:
        if closing is None:
            rows.pop(day, None)
        elif day in rows:
            moment = dt.datetime.combine(day, closing, EXCHANGE_ZONE).astimezone(dt.UTC)
            rows[day] = (rows[day][0], moment)
    days = sorted(rows)
    return Calendar(
        days=tuple(days),
        opens=tuple(rows[day][0] for day in days),
        closes=tuple(rows[day][1] for day in days),
    )


def read_overrides(path: Path) -> Mapping[dt.date, Override]:
    """Return what a file says of single days; ConfigError names the line that cannot be read."""
    lines = read_given(path, "SCANNER_CLOSURES", _MAX_OVERRIDES).splitlines()
    found: dict[dt.date, Override] = {}
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            day, said = words
            found[dt.date.fromisoformat(day)] = (
                None if said == "closed" else dt.time.fromisoformat(said)
            )
        except ValueError as error:
            raise ConfigError(
                f"SCANNER_CLOSURES: {path}:{number}: expected a date and `closed` or a closing "
                f"time, as in `2025-01-09 closed` or `2025-07-03 13:00`, got {line.strip()[:60]!r}"
            ) from error
    return found


def _with_zone(now: dt.datetime) -> dt.datetime:
    if now.tzinfo is None:
        raise ValueError(f"expected a time with its zone, got {now.isoformat()}")
    return now


def recent_sessions(calendar: Calendar, last: dt.date) -> list[dt.date]:
    """Return the sessions of the quarter before `last`, `last` if it is one, and the one after."""
    recent = calendar.between(last - dt.timedelta(days=92), last)
    return [*recent, calendar.after(last)]


def market_now(provider: Provider) -> dt.datetime:
    """Return the time at the provider: by its own clock if it has one, else by this machine's."""
    own = provider.now() if isinstance(provider, MarketProvider) else None
    return own or dt.datetime.now(dt.UTC)


def newest_session(settings: Settings, provider: Provider) -> dt.date:
    """Return the newest session that a provider holds, or that has closed by its clock."""
    newest = provider.last_session()
    if newest is not None:
        return newest
    now = market_now(provider)
    return calendar_of(settings, now.date()).last_closed(now)
