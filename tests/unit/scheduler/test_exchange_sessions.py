"""The last closed session around closes, half-days, holidays and weekends."""

from __future__ import annotations

import datetime as dt

import pytest

from scanner.errors import ConfigError
from scanner.settings import load_settings
from scheduler.sessions import calendar_of

# exchange_calendars 4.13 reads a Series in a way that pandas 3.1 is going to change.
pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")


def last_closed_session(moment, **options):
    """Return the last closed session by the calendar of the settings."""
    return calendar_of(load_settings(**options), moment.date()).last_closed(moment)


def session_after(day):
    """Return the session after a day."""
    return calendar_of(load_settings(), day).after(day)


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


@pytest.mark.parametrize(
    ("now", "session"),
    [
        ("2025-03-10T13:29:59", None),  # summer time began on the 9th
        ("2025-03-10T13:30:00", "2025-03-10"),
        ("2025-03-07T14:29:59", None),
        ("2025-03-07T14:30:00", "2025-03-07"),
        ("2025-11-03T14:29:59", None),  # and ended on the 2nd of November
        ("2025-11-03T14:30:00", "2025-11-03"),
        ("2025-10-31T19:59:59", "2025-10-31"),
        ("2025-10-31T20:00:00", None),
        ("2025-07-03T16:59:59", "2025-07-03"),
        ("2025-07-03T17:00:00", None),
        ("2025-01-09T17:00:00", None),
        ("2025-07-05T17:00:00", None),
    ],
)
def test_a_session_is_open_from_its_opening_to_its_close(now, session):
    """In exchange time, on both sides of both changes of the clock, and on half-days."""
    moment = dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC)
    found = calendar_of(load_settings(), moment.date()).open_at(moment)
    assert found == (session and dt.date.fromisoformat(session))


def test_overrides_close_a_day_or_end_it_early(tmp_path):
    """What is decided after the calendar was made."""
    path = tmp_path / "closures.txt"
    path.write_text("# mourning\n2025-07-08 closed\n2025-07-09 13:00  # a storm\n")
    noon = dt.datetime(2025, 7, 8, 23, tzinfo=dt.UTC)
    assert last_closed_session(noon, closures=path) == dt.date(2025, 7, 7)
    early = dt.datetime(2025, 7, 9, 17, tzinfo=dt.UTC)
    assert last_closed_session(early, closures=path) == dt.date(2025, 7, 9)
    calendar = calendar_of(load_settings(closures=path), dt.date(2025, 7, 9))
    days = calendar.between(dt.date(2025, 7, 7), dt.date(2025, 7, 10))
    assert [day.day for day in days] == [7, 9, 10]
    with pytest.raises(KeyError):
        calendar.close_of(dt.date(2025, 7, 8))


@pytest.mark.parametrize("line", ["2025-07-08", "soon closed", "2025-07-08 25:00", "a b c"])
def test_an_override_that_cannot_be_read_is_named_with_its_line(tmp_path, line):
    """And what was expected."""
    path = tmp_path / "closures.txt"
    path.write_text(f"\n{line}\n")
    with pytest.raises(ConfigError, match=r"closures.txt:2: expected a date"):
        calendar_of(load_settings(closures=path), dt.date(2025, 7, 9))
    with pytest.raises(ConfigError, match="cannot read"):
        calendar_of(load_settings(closures=tmp_path / "gone"), dt.date(2025, 7, 9))


def test_an_unknown_exchange_is_refused():
    """By the name of its setting."""
    with pytest.raises(ConfigError, match=r"SCANNER_EXCHANGE.*'MOON'"):
        calendar_of(load_settings(exchange="MOON"), dt.date(2025, 7, 9))
