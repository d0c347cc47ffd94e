"""The simulator's clock: which sessions exist at a time, and which times it refuses."""

from __future__ import annotations

import datetime as dt

import exchange_calendars
import numpy as np
import pytest
from tape_builders import market, moment

from simulator.clock import Clock, Moment
from simulator.sessions import all_sessions, close_of, date_of, day_of, half_days, open_of


def day(text: str) -> int:
    """Return the number of a date."""
    return day_of(dt.date.fromisoformat(text))


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
def test_sessions_begin_and_end_as_in_new_york():
    """Half days too, as the exchange's calendar has them."""
    calendar = exchange_calendars.get_calendar("XNYS", start="2023-01-01", end="2026-12-31")
    opens = [time.to_pydatetime() for time in calendar.opens]
    closes = [time.to_pydatetime() for time in calendar.closes]
    assert [open_of(int(one)) for one in all_sessions()] == opens
    assert [close_of(int(one)) for one in all_sessions()] == closes
    assert len(half_days()) == 10


@pytest.mark.parametrize(
    ("now", "today", "session", "share"),
    [
        ("2025-07-09T16:20:00-04:00", "2025-07-09", "2025-07-09", 1.0),
        ("2025-07-09T16:00:00-04:00", "2025-07-09", "2025-07-09", 1.0),
        ("2025-07-09T12:45:00-04:00", "2025-07-09", "2025-07-09", 0.5),
        ("2025-07-09T16:45:00+00:00", "2025-07-09", "2025-07-09", 0.5),
        ("2025-07-09T09:30:00-04:00", "2025-07-09", "2025-07-09", 0.0),
        ("2025-07-09T09:29:59-04:00", "2025-07-09", "2025-07-08", 1.0),
        ("2025-07-10T02:00:00+00:00", "2025-07-09", "2025-07-09", 1.0),
        ("2025-07-03T11:15:00-04:00", "2025-07-03", "2025-07-03", 0.5),
        ("2025-07-04T12:00:00-04:00", "2025-07-04", "2025-07-03", 1.0),
        ("2025-07-12T12:00:00-04:00", "2025-07-12", "2025-07-11", 1.0),
        ("2026-12-31T23:59:00-05:00", "2026-12-31", "2026-12-31", 1.0),
    ],
)
def test_a_moment_is_the_day_its_session_and_how_much_is_over(now, today, session, share):
    """In New York, whatever the offset of the time; half days are over sooner."""
    expected = Moment(day=day(today), session=day(session), share=share)
    assert moment(market(symbols=1), now) == expected


@pytest.mark.parametrize(
    "now", ["2025-07-09T12:00:00", "2023-01-03T12:00:00-05:00", "2027-01-01T12:00:00-05:00"]
)
def test_a_time_that_no_session_belongs_to_is_refused(now):
    """Without an offset, before the history, and after all known sessions; the old one stays."""
    one = market(symbols=1)
    clock = Clock(one.sessions, dt.datetime.fromisoformat("2025-07-09T12:00:00-04:00"))
    before = clock.now, clock.moment
    with pytest.raises(ValueError, match="now: expected a time"):
        clock.move(dt.datetime.fromisoformat(now))
    assert (clock.now, clock.moment) == before


def test_it_knows_the_session_before_and_whether_today_has_begun():
    """The first session has none before it."""
    one = market(symbols=1)
    clock = Clock(one.sessions, dt.datetime.fromisoformat("2025-07-07T08:00:00-04:00"))
    assert clock.before_open
    assert clock.before(day("2025-07-07")) == day("2025-07-03")
    assert clock.before(int(one.sessions[0])) is None
    clock.move(dt.datetime.fromisoformat("2025-07-06T08:00:00-04:00"))
    assert not clock.before_open
    assert date_of(int(np.max(one.sessions))) == dt.date(2026, 12, 31)
