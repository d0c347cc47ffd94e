"""Sessions as numbers and back."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.timeframe import day_date, day_number, parse_day


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
