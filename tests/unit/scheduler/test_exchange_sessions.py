"""The last closed session around closes, half-days, holidays and weekends."""

from __future__ import annotations

import datetime as dt

import pytest

from scheduler.sessions import last_closed_session, session_after

# exchange_calendars 4.13 reads a Series in a way that pandas 3.1 is going to change.
pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")

CASES = {
    "a second before the close": ("2025-07-09T19:59:59", "2025-07-08"),
    "at the close": ("2025-07-09T20:00:00", "2025-07-09"),
    "before the open": ("2025-07-09T10:00:00", "2025-07-08"),
    "before the close in winter": ("2025-01-08T20:59:59", "2025-01-07"),
    "at the close in winter": ("2025-01-08T21:00:00", "2025-01-08"),
    "before the close of a half-day": ("2025-07-03T16:59:59", "2025-07-02"),
    "at the close of a half-day": ("2025-07-03T17:00:00", "2025-07-03"),
    "on a holiday": ("2025-07-04T23:00:00", "2025-07-03"),
    "on a day of mourning": ("2025-01-09T22:00:00", "2025-01-08"),
    "after a day of mourning": ("2025-01-10T21:00:00", "2025-01-10"),
    "on a Saturday": ("2025-07-12T12:00:00", "2025-07-11"),
    "on a Sunday": ("2025-07-13T23:59:00", "2025-07-11"),
    "on a Monday morning": ("2025-07-14T12:00:00", "2025-07-11"),
    "on New Year's Day": ("2025-01-01T23:00:00", "2024-12-31"),
    "on New Year's Eve in New York": ("2025-01-01T00:30:00", "2024-12-31"),
    "early in the first week": ("2024-01-01T05:00:00", "2023-12-29"),
}


@pytest.mark.parametrize(("now", "session"), CASES.values(), ids=CASES)
def test_the_last_closed_session_is_the_newest_whose_close_is_past(now, session):
    """By the exchange's own calendar, with its half-days."""
    moment = dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC)
    assert last_closed_session(moment) == dt.date.fromisoformat(session)


@pytest.mark.parametrize("hours", [-8, -5, 9, 14])
def test_the_zone_of_the_clock_does_not_matter(hours):
    """The same moment is the same session."""
    moment = dt.datetime(2025, 1, 1, 2, 0, tzinfo=dt.UTC)
    elsewhere = moment.astimezone(dt.timezone(dt.timedelta(hours=hours)))
    assert last_closed_session(elsewhere) == last_closed_session(moment) == dt.date(2024, 12, 31)


def test_a_session_is_a_plain_date():
    """Not a time of pandas, which would compare as a moment."""
    assert type(last_closed_session(dt.datetime(2025, 7, 9, 20, tzinfo=dt.UTC))) is dt.date


def test_today_has_a_session():
    """The calendar reaches the present."""
    now = dt.datetime.now(dt.UTC)
    assert dt.timedelta(0) <= now.date() - last_closed_session(now) < dt.timedelta(days=6)


def test_a_time_without_a_zone_is_refused():
    """It would be another moment on each machine."""
    with pytest.raises(ValueError, match="with its zone"):
        last_closed_session(dt.datetime(2025, 7, 9, 20))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(
    ("day", "session"),
    [
        ("2025-07-09", "2025-07-10"),
        ("2025-07-11", "2025-07-14"),
        ("2025-07-03", "2025-07-07"),
        ("2025-04-17", "2025-04-21"),
        ("2025-01-08", "2025-01-10"),
        ("2024-12-31", "2025-01-02"),
        ("2025-07-12", "2025-07-14"),
    ],
)
def test_the_session_after_a_day_skips_what_is_closed(day, session):
    """Weekends, Good Friday, holidays, a day of mourning and the turn of a year."""
    assert session_after(dt.date.fromisoformat(day)) == dt.date.fromisoformat(session)
