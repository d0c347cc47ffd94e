"""Slots of the schedule, in New York time, on usual days and on those with another clock."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from scanner.settings import load_settings
from scanner.timeframe import EXCHANGE_ZONE
from scheduler.beat import due_slot
from scheduler.sessions import calendar_of

# exchange_calendars 4.13 reads a Series in a way that pandas 3.1 is going to change.
pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")

#: 02:00 becomes 03:00, and 02:00 becomes 01:00.
SPRING, AUTUMN = dt.date(2025, 3, 9), dt.date(2025, 11, 2)


def new_york(text):
    """Return the time that clocks in New York show as `text`."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=EXCHANGE_ZONE)


def minutes_of(day):
    """Return every minute of a day in New York, as UTC, however long the day is."""
    now = dt.datetime.combine(day, dt.time(), EXCHANGE_ZONE).astimezone(dt.UTC)
    while now.astimezone(EXCHANGE_ZONE).date() == day:
        yield now
        now += dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2025-07-09T16:19:59", None),
        ("2025-07-09T16:20", "2025-07-09/16:20"),
        ("2025-07-09T16:49:59", "2025-07-09/16:20"),
        ("2025-07-09T16:50", None),
        ("2025-07-09T04:20", None),
    ],
)
def test_a_time_of_day_is_due_for_half_an_hour(now, expected):
    """What beat missed by more is skipped."""
    assert due_slot("at 16:20", new_york(now)) == expected


@pytest.mark.parametrize(
    ("utc", "due"),
    [
        ("2025-07-09T20:20", True),
        ("2025-07-09T21:20", False),
        ("2025-01-09T21:20", True),
        ("2025-01-09T20:20", False),
    ],
)
def test_the_time_is_new_york_s_in_summer_and_in_winter(utc, due):
    """Whatever zone the clock is given in."""
    now = dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC)
    assert (due_slot("at 16:20", now) is not None) is due
    tokyo = now.astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert due_slot("at 16:20", tokyo) == due_slot("at 16:20", now)


@pytest.mark.parametrize("day", [SPRING, AUTUMN, dt.date(2025, 7, 9)])
@pytest.mark.parametrize("at", ["00:30", "01:30", "16:20"])
def test_each_day_has_one_slot_of_a_time(day, at):
    """Also the day that has the hour from 1 to 2 twice."""
    slots = {due_slot(f"at {at}", now) for now in minutes_of(day)} - {None}
    assert slots == {f"{day}/{at}"}


@pytest.mark.parametrize(
    ("schedule", "now", "slot"),
    [
        ("every 15m", "2025-07-09T00:00", 0),
        ("every 15m", "2025-07-09T00:14:59", 0),
        ("every 15m", "2025-07-09T00:15", 1),
        ("every 15m", "2025-07-09T23:59:59", 95),
        ("every 2h", "2025-07-09T15:59", 7),
        ("every 24h", "2025-07-09T15:59", 0),
    ],
)
def test_a_period_is_counted_from_midnight(schedule, now, slot):
    """Every moment is in one slot."""
    assert due_slot(schedule, new_york(now)) == f"2025-07-09/{slot}"


@pytest.mark.parametrize(("day", "slots"), [(SPRING, 92), (dt.date(2025, 7, 9), 96)])
def test_a_day_has_a_slot_for_each_of_its_quarters(day, slots):
    """A day of 23 hours has four fewer, and no slot comes back later."""
    seen = [due_slot("every 15m", now) for now in minutes_of(day)]
    assert len(set(seen)) == slots
    assert sum(one != other for one, other in itertools.pairwise(seen)) == slots - 1


def test_slots_of_two_days_are_different():
    """The name begins with the date in New York."""
    evening = dt.datetime(2025, 7, 10, 1, 0, tzinfo=dt.UTC)
    assert due_slot("every 1h", evening) == "2025-07-09/21"


def test_off_is_never_due():
    """At no minute of a day."""
    assert {due_slot("off", now) for now in minutes_of(SPRING)} == {None}


def test_a_time_that_the_clock_skips_comes_an_hour_later():
    """02:30 does not exist on the day of the change: the scan is due at 03:30."""
    due = [now for now in minutes_of(SPRING) if due_slot("at 02:30", now)]
    assert due[0].astimezone(EXCHANGE_ZONE).strftime("%H:%M") == "03:30"
    assert len(due) == 30


def test_a_time_before_midnight_is_due_for_half_an_hour():
    """The grace goes on into the next day, with the name of its own day."""
    slots = {due_slot("at 23:55", new_york(f"2025-07-10T00:0{n}")) for n in range(5)}
    assert slots == {"2025-07-09/23:55"}


def test_the_repeated_hour_has_slots_of_its_own():
    """On the day of 25 hours a quarter of an hour comes a hundred times."""
    assert len({due_slot("every 15m", now) for now in minutes_of(AUTUMN)}) == 100


@pytest.mark.parametrize(
    ("schedule", "now", "slot"),
    [
        ("at close+20m", "2025-07-09T16:20", "2025-07-09/16:20"),
        ("at close+20m", "2025-07-09T16:50", None),
        ("at close+20m", "2025-07-03T13:20", "2025-07-03/13:20"),
        ("at close+20m", "2025-07-03T16:20", None),
        ("at close+600m", "2025-07-12T02:05", "2025-07-11/02:00"),
        ("at 16:20", "2025-07-03T16:20", "2025-07-03/16:20"),
        ("every 1h", "2025-07-03T16:20", "2025-07-03/16"),
    ],
)
def test_a_session_has_its_slot_when_it_closes(schedule, now, slot):
    """The Thursday before the fourth of July closes at 13:00."""
    calendar = calendar_of(load_settings(), dt.date(2025, 7, 1))
    assert due_slot(schedule, new_york(now), calendar) == slot


@pytest.mark.parametrize("day", ["2025-07-04", "2025-07-05", "2025-07-06"])
@pytest.mark.parametrize("schedule", ["at 16:20", "at close+20m"])
def test_a_day_without_a_session_has_no_time(day, schedule):
    """A holiday, a Saturday, a Sunday; without a calendar every day is a session."""
    calendar, now = calendar_of(load_settings(), dt.date(2025, 7, 1)), new_york(f"{day}T16:20")
    assert due_slot(schedule, now, calendar) is None
    assert due_slot(schedule, now) == f"{day}/16:20"
