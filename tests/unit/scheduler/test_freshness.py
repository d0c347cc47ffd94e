"""Which kept sessions are asked for again: after the close, half an hour later, two mornings."""

from __future__ import annotations

import datetime as dt

import pytest

from scanner.bars.store import DayFacts
from scanner.settings import load_settings
from scanner.timeframe import EXCHANGE_ZONE, day_number
from scheduler.freshness import freshness, good_from, may_be_empty
from scheduler.sessions import calendar_of


def at(text):
    """Return a moment in New York."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=EXCHANGE_ZONE)


def standing(day, asked, now, symbols=10):
    """Return what becomes of one session whose copy was asked for at a moment."""
    session = dt.date.fromisoformat(day)
    facts = DayFacts(asked_at=at(asked).timestamp(), written_at=0.0, symbols=symbols)
    calendar = calendar_of(load_settings(), session)
    found = freshness([session], {day_number(session): facts}, calendar, at(now))
    return "missing" if found.missing else "due" if found.due else "fresh"


CASES = {
    "taken while it was open": ("2025-07-09", "2025-07-09T15:59:59", "2025-07-09T16:00", "missing"),
    "taken at the close": ("2025-07-09", "2025-07-09T16:00", "2025-07-09T16:29:59", "fresh"),
    "half an hour later": ("2025-07-09", "2025-07-09T16:00", "2025-07-09T16:30", "due"),
    "taken after that": ("2025-07-09", "2025-07-09T16:30", "2025-07-10T05:59", "fresh"),
    "the next morning": ("2025-07-09", "2025-07-09T16:30", "2025-07-10T06:00", "due"),
    "asked that morning": ("2025-07-09", "2025-07-10T06:00", "2025-07-11T05:59", "fresh"),
    "the morning after it": ("2025-07-09", "2025-07-10T06:00", "2025-07-11T06:00", "due"),
    "two mornings on": ("2025-07-09", "2025-07-11T06:00", "2025-09-01T12:00", "fresh"),
    "a Friday till Monday": ("2025-07-11", "2025-07-11T17:00", "2025-07-14T05:59", "fresh"),
    "a Friday on Monday": ("2025-07-11", "2025-07-11T17:00", "2025-07-14T06:00", "due"),
    "a half-day while open": ("2025-07-03", "2025-07-03T12:59", "2025-07-03T13:00", "missing"),
    "a half-day's close": ("2025-07-03", "2025-07-03T13:00", "2025-07-03T13:30", "due"),
    "over a holiday": ("2025-07-03", "2025-07-03T14:00", "2025-07-07T05:59", "fresh"),
    "after a holiday": ("2025-07-03", "2025-07-03T14:00", "2025-07-07T06:00", "due"),
    "over a day of mourning": ("2025-01-08", "2025-01-08T17:00", "2025-01-09T12:00", "fresh"),
    "into summer time": ("2025-03-07", "2025-03-07T17:00", "2025-03-10T06:00", "due"),
    "before that": ("2025-03-07", "2025-03-07T17:00", "2025-03-10T05:59:59", "fresh"),
    "into winter time": ("2025-10-31", "2025-10-31T17:00", "2025-11-03T06:00", "due"),
    "before winter's morning": ("2025-10-31", "2025-10-31T17:00", "2025-11-03T05:59:59", "fresh"),
}


@pytest.mark.parametrize(("day", "asked", "now", "expected"), CASES.values(), ids=CASES)
def test_a_copy_is_asked_for_again_at_its_moments(day, asked, now, expected):
    """By the exchange's clock and calendar."""
    assert standing(day, asked, now) == expected


def test_a_session_without_a_copy_is_missing():
    """And the newest is asked for first."""
    days = [dt.date(2025, 7, 8), dt.date(2025, 7, 9)]
    calendar = calendar_of(load_settings(), days[0])
    found = freshness(days, {}, calendar, at("2025-07-09T16:20"))
    assert (list(found.missing), list(found.wanted)) == (days, days[::-1])


@pytest.mark.parametrize(
    ("asked", "believed"),
    [
        ("2025-07-09T16:20", False),
        ("2025-07-11T23:59", False),
        ("2025-07-12T00:01", True),
    ],
)
def test_an_empty_answer_is_believed_after_some_days_at_the_exchange(asked, believed):
    """In its evening the date is another one in Greenwich already."""
    assert may_be_empty(dt.date(2025, 7, 9), at(asked).timestamp()) == believed
    expected = "fresh" if believed else "missing"
    assert standing("2025-07-09", asked, "2025-07-12T00:02", symbols=0) == expected


@pytest.mark.parametrize("case", CASES)
def test_a_copy_since_the_last_moment_is_as_good_as_one_of_now(case):
    """Two scans that are planned a second apart need one fetch; before that moment it is due."""
    day, _, now, _ = CASES[case]
    session = dt.date.fromisoformat(day)
    calendar = calendar_of(load_settings(), session)
    since = good_from(session, calendar, at(now))
    asked = [dt.datetime.fromtimestamp(since - early, EXCHANGE_ZONE) for early in (0.0, 0.001)]
    found = [standing(day, one.replace(tzinfo=None).isoformat(), now) for one in asked]
    assert found[0] == "fresh"
    assert found[1] in {"due", "missing"}


def test_while_a_session_is_open_only_a_copy_of_now_is_good():
    """Its bar is forming."""
    session = dt.date(2025, 7, 9)
    calendar = calendar_of(load_settings(), session)
    now = at("2025-07-09T12:00")
    assert good_from(session, calendar, now) == now.timestamp()
