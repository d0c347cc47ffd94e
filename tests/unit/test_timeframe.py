"""Sessions as numbers and back."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.timeframe import (
    DAILY,
    MONTHLY,
    TIMEFRAMES,
    WEEKLY,
    day_date,
    day_number,
    next_weekday,
    parse_day,
    period_numbers,
)


def test_days_are_counted_from_1970():
    """As numpy counts them."""
    assert day_number(dt.date(1970, 1, 1)) == 0
    assert day_number(dt.date(2025, 7, 9)) == np.datetime64("2025-07-09").astype(int)


@given(st.dates())
def test_a_date_comes_back_from_its_number_and_its_text(date):
    """Any date, also before 1970."""
    assert day_date(day_number(date)) == date
    assert day_date(np.int64(day_number(date))) == date
    assert parse_day(date.isoformat()) == date


@pytest.mark.parametrize("text", ["", "today", "2025-02-30", "09.07.2025", "2025-7-9"])
def test_a_text_that_is_no_date_is_refused_with_what_was_expected(text):
    """The message shows the form and the text."""
    with pytest.raises(ValueError, match="YYYY-MM-DD, got") as caught:
        parse_day(text)
    assert repr(text) in str(caught.value)


def numbers(timeframe, *dates):
    """Return the numbers of the periods that `dates` are in."""
    return period_numbers(np.array([day_number(d) for d in dates], np.int32), timeframe).tolist()


def first_day(timeframe, date):
    """Return the day on which the period of `date` starts."""
    match timeframe:
        case "1w":
            return date - dt.timedelta(days=date.weekday())
        case "1mo":
            return date.replace(day=1)
    return date


def test_a_week_is_from_monday_to_sunday():
    """The next Monday starts the next one."""
    monday = dt.date(2025, 7, 7)
    week = numbers(WEEKLY, *(monday + dt.timedelta(days=n) for n in range(-1, 8)))
    assert week == [week[1] - 1, *[week[1]] * 7, week[1] + 1]


def test_a_month_is_that_of_the_calendar():
    """Leap days too, and December is followed by January."""
    days = (dt.date(2024, 2, 1), dt.date(2024, 2, 29), dt.date(2024, 3, 1), dt.date(2025, 1, 1))
    february, last, march, january = numbers(MONTHLY, *days)
    assert (last, march, january) == (february, february + 1, february + 11)


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_periods_are_counted_from_the_one_of_1970(timeframe):
    """Day 0 is in period 0, and the day before that period is in -1."""
    start = first_day(timeframe, dt.date(1970, 1, 1))
    assert numbers(timeframe, dt.date(1970, 1, 1), start) == [0, 0]
    assert numbers(timeframe, start - dt.timedelta(days=1)) == [-1]


@given(date=st.dates(min_value=dt.date(1, 2, 1)), timeframe=st.sampled_from(TIMEFRAMES))
def test_a_period_goes_from_its_first_day_to_the_next_ones(date, timeframe):
    """Its first day has its number, and the day before has the number before."""
    start = first_day(timeframe, date)
    number, same, before = numbers(timeframe, date, start, start - dt.timedelta(days=1))
    assert (same, before) == (number, number - 1)


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
@pytest.mark.parametrize("shape", [(0,), (3, 0), (2, 3)])
def test_numbers_have_the_shape_and_the_type_of_their_days(timeframe, shape):
    """Also where there is no day."""
    got = period_numbers(np.zeros(shape, dtype=np.int32), timeframe)
    assert (got.shape, got.dtype) == (shape, np.int32)


def test_a_day_is_its_own_number():
    """The daily period of a session is the session."""
    assert numbers(DAILY, dt.date(2025, 7, 9)) == [day_number(dt.date(2025, 7, 9))]


@pytest.mark.parametrize("timeframe", ["", "1h", "1W", "1m", "week"])
def test_another_timeframe_is_refused_with_those_there_are(timeframe):
    """Also without any day, and a minute is no month."""
    with pytest.raises(ValueError, match="1d, 1w, 1mo, got") as caught:
        period_numbers(np.array([], dtype=np.int32), timeframe)
    assert repr(timeframe) in str(caught.value)


@given(st.dates(max_value=dt.date(9999, 12, 28)))
def test_the_next_weekday_is_the_first_from_monday_to_friday(date):
    """After a Friday it is Monday."""
    days = (date + dt.timedelta(days=n) for n in range(1, 4))
    assert day_date(next_weekday(day_number(date))) == next(d for d in days if d.weekday() < 5)
