"""The simulator's time: options and `/simulator/clock` set it, a Moment says what exists.

It stands still until it is set again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from simulator.market import DayArray
from simulator.sessions import EXCHANGE_ZONE, close_of, date_of, day_of, open_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What of a market exists: answers of the same moment are the same."""

    #: The date in New York; splits up to it have happened.
    day: int
    #: The last session that has begun.
    session: int
    #: How much of that session is over, 0 to 1.
    share: float


class Clock:
    """A time within the sessions of a market."""

    def __init__(self, sessions: DayArray, now: dt.datetime) -> None:
        self._sessions = sessions
        self.move(now)

    @property
    def now(self) -> dt.datetime:
        """The time in New York."""
        return self._now

    @property
    def moment(self) -> Moment:
        """What exists by now."""
        return self._moment

    def move(self, now: dt.datetime) -> None:
        """Set the time; ValueError if it has no offset or no session has begun or is known."""
        if now.tzinfo is None:
            raise ValueError(f"now: expected a time with an offset, got {now.isoformat()}")
        first, last = open_of(int(self._sessions[0])), date_of(int(self._sessions[-1]))
        local = now.astimezone(EXCHANGE_ZONE)
        if local < first or local.date() > last:
            raise ValueError(f"now: expected a time from {first} to the end of {last}, got {now}")
        self._now = local
        self._moment = _moment_of(local, self._sessions)

    @property
    def before_open(self) -> bool:
        """Whether today has a session that has not begun."""
        return self._moment.day != self._moment.session and self._moment.day in self._sessions

    def before(self, session: int) -> int | None:
        """Return the session before `session`; None if it is the first."""
        place = int(np.searchsorted(self._sessions, session))
        return int(self._sessions[place - 1]) if place else None


def clock_after_close(day: int) -> dt.datetime:
    """Return a time shortly after the close of the session `day`."""
    return dt.datetime.combine(date_of(day), dt.time(16, 20), EXCHANGE_ZONE)


def _moment_of(now: dt.datetime, sessions: DayArray) -> Moment:
    day = day_of(now.date())
    place = int(np.searchsorted(sessions, day, side="right")) - 1
    session = int(sessions[place])
    if now < open_of(session):
        session = int(sessions[place - 1])
    start, end = open_of(session), close_of(session)
    share = min((now - start) / (end - start), 1.0)
    return Moment(day=day, session=session, share=share)
