"""The market status at any time: which hours these are, and which holidays come."""

from __future__ import annotations

import datetime as dt

import pytest

from simulator.sessions import EXCHANGE_ZONE, half_days, holidays
from simulator.status import status_now, upcoming


def at(text: str) -> dt.datetime:
    """Return a time of New York."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=EXCHANGE_ZONE)


@pytest.mark.parametrize(
    ("now", "market", "early", "late"),
    [
        ("2025-07-09T03:59:59", "closed", False, False),
        ("2025-07-09T04:00:00", "extended-hours", True, False),
        ("2025-07-09T09:29:59", "extended-hours", True, False),
        ("2025-07-09T09:30:00", "open", False, False),
        ("2025-07-09T15:59:59", "open", False, False),
        ("2025-07-09T16:00:00", "extended-hours", False, True),
        ("2025-07-09T20:00:00", "closed", False, False),
        ("2025-07-03T12:59:00", "open", False, False),
        ("2025-07-03T13:00:00", "extended-hours", False, True),
        ("2025-07-03T17:00:00", "closed", False, False),
        ("2025-07-04T12:00:00", "closed", False, False),
        ("2025-07-05T12:00:00", "closed", False, False),
    ],
)
def test_hours_follow_the_clock(now, market, early, late):
    """Half days end sooner; holidays and weekends have none."""
    status = status_now(at(now))
    assert (status["market"], status["earlyHours"], status["afterHours"]) == (market, early, late)
    assert status["exchanges"]["nyse"] == status["exchanges"]["nasdaq"] == market
    assert status["exchanges"]["otc"] == ("open" if market == "open" else "closed")
    assert status["serverTime"] == now + "-04:00"


def test_what_comes_is_a_list_of_days_by_exchange():
    """The next one first, three exchanges each, today no more."""
    rows = upcoming(at("2025-11-26T12:00:00"))
    assert [row["exchange"] for row in rows[:3]] == ["NYSE", "NASDAQ", "OTC"]
    assert rows[0] == {
        "date": "2025-11-27",
        "exchange": "NYSE",
        "name": "Thanksgiving",
        "status": "closed",
    }
    assert rows[3] == {
        "date": "2025-11-28",
        "exchange": "NYSE",
        "name": "Thanksgiving",
        "status": "early-close",
        "open": "2025-11-28T14:30:00.000Z",
        "close": "2025-11-28T18:00:00.000Z",
    }
    assert upcoming(at("2025-11-27T00:00:00"))[0]["date"] == "2025-11-28"
    assert upcoming(at("2026-12-31T12:00:00")) == []


def test_every_holiday_has_its_name():
    """Eleven of them, among them the one that was for once."""
    rows = upcoming(at("2022-12-31T12:00:00"))
    assert len(rows) == 3 * (len(holidays()) + len(half_days()))
    assert len({row["name"] for row in rows}) == 11
    named = {row["date"]: row["name"] for row in rows}
    assert named["2025-01-01"] == "New Year's Day"
    assert named["2025-01-09"] == "National Day of Mourning"
    assert named["2024-01-15"] == "Martin Luther King, Jr. Day"
