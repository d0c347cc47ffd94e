"""Rates of the request budget: how they are written and what they plan."""

from __future__ import annotations

import pytest

from scanner.bars.budget import FREE, PAID, Rate, Unlimited, parse_rate
from scanner.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("5/minute", FREE),
        ("5/min", FREE),
        ("5/60", FREE),
        ("100/second", PAID),
        ("100/s", PAID),
        (" 100 / Seconds ", PAID),
        ("30/0.5", Rate(limit=30, window=0.5, burst=3)),
        ("1/day", Rate(limit=1, window=86_400.0, burst=1)),
        ("Unlimited", None),
    ],
)
def test_rates_are_read_in_words_and_numbers(text, rate):
    """Each spelling gives the same rate."""
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text",
    ["", "5", "5/", "/minute", "5/fortnight", "0/minute", "-5/minute", "5/0", "5/60/2", "five"],
)
def test_other_texts_are_refused(text):
    """The message shows what a rate looks like."""
    with pytest.raises(ConfigError, match="rate"):
        parse_rate(text)


@pytest.mark.parametrize("burst", [0, 5, 6])
def test_a_burst_leaves_room_for_a_sustained_rate(burst):
    """A burst as large as the limit would leave none."""
    with pytest.raises(ConfigError, match="burst of 1 to 4"):
        Rate(limit=5, window=60.0, burst=burst)


@pytest.mark.parametrize("rate", [FREE, PAID, Rate(limit=1, window=2.0, burst=1)])
def test_no_window_can_exceed_the_limit(rate):
    """A burst and what the sustained rate adds in a window stay within the limit."""
    assert rate.burst + rate.window / rate.interval <= max(rate.limit, 2) + 1e-9


def test_a_plan_counts_the_burst_as_free():
    """The first burst takes no time, the rest is evenly spaced."""
    assert FREE.seconds_for(5) == 60.0
    assert PAID.seconds_for(10) == 0.0
    assert PAID.seconds_for(5277) == pytest.approx(58.52, abs=0.01)


def test_without_a_limit_nothing_waits():
    """The unlimited budget plans no time and grants at once."""
    Unlimited().acquire(0.0)
    assert Unlimited().seconds_for(10**6) == 0.0
