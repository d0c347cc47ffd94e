"""The provider's own client, unmodified, reads the simulator as our readers do.

Its default key comes from the environment as it is imported; here it always gets one, the
only one that the simulator takes.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import orjson
import pytest
import requests
from massive import RESTClient
from process_fixtures import running_simulator
from simulator_fixtures import GROUPED, SNAPSHOT, SPLITS, UPCOMING, move_clock

from scanner.bars.budget import Unlimited
from scanner.bars.polygon import PolygonProvider
from scanner.timeframe import day_date

KEY = "made-up-key"
OPTIONS = ("--symbols", "1200", "--sessions", "300", "--key", KEY)
FIRST, LAST = dt.date(2024, 7, 1), dt.date(2025, 7, 9)
NAMES = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v", "vwap": "vw"}


@pytest.fixture(scope="module")
def base_url(tmp_path_factory):
    """Start a market that needs two pages of a thousand tickers."""
    with running_simulator(tmp_path_factory.mktemp("simulator"), *OPTIONS) as url:
        yield url


@pytest.fixture(scope="module")
def client(base_url):
    """The official client; it leaves its connections open."""
    one = RESTClient(api_key=KEY, base=base_url)
    yield one
    one.client.clear()


@pytest.fixture(scope="module")
def ours(base_url):
    """Our own client of the same address."""
    return PolygonProvider(
        base_url=base_url, key=KEY, threads=2, budget=Unlimited(), time_budget=20.0, own_clock=True
    )


def body(url: str, **query: object):
    """Return a body as we read it."""
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = requests.get(url, params=query, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return orjson.loads(answer.content)


def same(one, row: dict, names: dict[str, str]) -> bool:
    """Return whether an object of the client has the numbers of a row."""
    return {name: getattr(one, name) for name in names} == {
        name: row.get(short) for name, short in names.items()
    }


@pytest.mark.parametrize("limit", [37, 50_000])
def test_ranges_are_the_same_in_pages_of_any_size(client, ours, limit):
    """Symbols with a split among them."""
    split = next(iter(client.list_splits(execution_date_gt="2024-09-01", limit=10))).ticker
    for symbol in ("SPY", split):
        bars = list(client.list_aggs(symbol, 1, "day", FIRST, LAST, adjusted=True, limit=limit))
        series = ours.fetch(symbol, FIRST, LAST)
        days = [dt.datetime.fromtimestamp(one.timestamp / 1000, dt.UTC).date() for one in bars]
        assert days == [day_date(day) for day in series.sessions]
        for place, name in enumerate(("open", "high", "low", "close", "volume")):
            np.testing.assert_array_equal(
                [getattr(one, name) for one in bars], series.values[place]
            )


@pytest.mark.parametrize("adjusted", [True, False])
def test_a_whole_day_is_the_same(client, base_url, adjusted):
    """Row by row, adjusted and as traded."""
    rows = body(f"{base_url}{GROUPED}2024-10-01", adjusted=str(adjusted).lower())["results"]
    found = client.get_grouped_daily_aggs("2024-10-01", adjusted=adjusted)
    names = NAMES | {"ticker": "T", "timestamp": "t", "transactions": "n"}
    assert len(found) == len(rows) > 1000
    assert all(same(one, row, names) for one, row in zip(found, rows, strict=True))
    assert client.get_grouped_daily_aggs("2025-07-04") == []


def test_our_day_holds_what_the_client_reads(client, ours):
    """As it was traded, to the bit."""
    found = client.get_grouped_daily_aggs("2024-10-01", adjusted=False)
    assert bars_of(ours.day(dt.date(2024, 10, 1))) == {one.ticker: numbers(one) for one in found}


def test_our_splits_are_those_that_the_client_reads(client, ours):
    """Of a span of days, both included, over its pages."""
    first, last = dt.date(2024, 9, 1), dt.date(2025, 6, 30)
    found = client.list_splits(execution_date_gte=first, execution_date_lte=last, limit=7)
    theirs = [
        (one.ticker, one.execution_date, float(one.split_from), float(one.split_to))
        for one in found
    ]
    mine = [
        (one.symbol, str(day_date(one.session)), one.before, one.after)
        for one in ours.splits(first, last)
    ]
    assert len(mine) > 10
    assert sorted(mine) == sorted(theirs)


def test_our_snapshot_holds_what_the_client_reads(client, ours, base_url):
    """The forming bars of what has traded; what has not has none."""
    move_clock(base_url, "2025-07-09T10:00:00-04:00")
    traded = [one for one in client.get_snapshot_all("stocks") if one.day and one.day.volume]
    mine = bars_of(ours.snapshot(LAST))
    assert mine == {one.ticker: numbers(one.day) for one in traded}
    assert len(mine) > 1000


def bars_of(day) -> dict[str, tuple[float, ...]]:
    """Return the bars of one of our days by symbol."""
    return {
        symbol: tuple(values)
        for symbol, values in zip(day.symbols, day.values.T.tolist(), strict=True)
    }


def numbers(one) -> tuple[float, ...]:
    """Return the numbers of a bar of the client's."""
    return tuple(float(x) for x in (one.open, one.high, one.low, one.close, one.volume))


def test_the_listing_is_the_same_over_all_pages(client, ours):
    """Common stocks, and all of them."""
    query = {"market": "stocks", "active": True, "sort": "ticker", "order": "asc"}
    found = [one.ticker for one in client.list_tickers(**query, limit=1000)]
    assert found == ours.symbols("all")
    assert len(found) == 1200
    found = [one.ticker for one in client.list_tickers(**query, type="CS", limit=100)]
    assert found == ours.symbols("common")


def test_splits_are_the_same_over_all_pages(client, base_url):
    """In the order that is asked for."""
    rows = body(base_url + SPLITS, limit=1000, sort="ticker", order="asc")["results"]
    found = list(client.list_splits(limit=7, sort="ticker", order="asc"))
    names = {name: name for name in rows[0]}
    assert len(found) == len(rows) > 30
    assert all(same(one, row, names) for one, row in zip(found, rows, strict=True))
    reverse = list(client.list_splits(reverse_split=True, execution_date_lte=LAST, limit=1000))
    assert {one.id for one in reverse} == {
        row["id"] for row in rows if row["split_from"] > row["split_to"]
    }


@pytest.mark.parametrize("now", ["2025-07-09T16:20:00-04:00", "2025-07-09T10:00:00-04:00"])
def test_a_snapshot_is_the_same(client, base_url, now):
    """After the close and during a session, of all, of some and of one."""
    move_clock(base_url, now)
    rows = body(base_url + SNAPSHOT)["tickers"]
    found = client.get_snapshot_all("stocks")
    assert len(found) == len(rows) > 1000
    assert all(same_snapshot(one, row) for one, row in zip(found, rows, strict=True))
    some = client.get_snapshot_all("stocks", tickers=["SPY", rows[0]["ticker"]])
    assert [one.ticker for one in some] == ["SPY", rows[0]["ticker"]]
    one = client.get_snapshot_ticker("stocks", rows[0]["ticker"])
    assert same_snapshot(one, rows[0])


def same_snapshot(one, row: dict) -> bool:
    """Return whether all that the client reads of a snapshot is in the row."""
    minute = NAMES | {"accumulated_volume": "av", "timestamp": "t", "transactions": "n"}
    facts = {
        "ticker": "ticker",
        "todays_change": "todaysChange",
        "todays_change_percent": "todaysChangePerc",
        "updated": "updated",
    }
    return (
        same(one, row, facts)
        and same(one.day, row["day"], NAMES)
        and same(one.prev_day, row["prevDay"], NAMES)
        and same(one.min, row["min"], minute)
    )


def test_hours_and_holidays_are_the_same(client, base_url):
    """The list of holidays is a bare array."""
    move_clock(base_url, "2025-07-09T10:00:00-04:00")
    status = client.get_market_status()
    assert (status.market, status.early_hours, status.exchanges.nyse) == ("open", False, "open")
    rows = body(base_url + UPCOMING)
    found = client.get_market_holidays()
    names = {name: name for name in ("date", "exchange", "name", "status", "open", "close")}
    assert all(same(one, row, names) for one, row in zip(found, rows, strict=True))
