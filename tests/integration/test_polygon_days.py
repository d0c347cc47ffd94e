"""What PolygonProvider asks about the whole market, by real HTTP."""

from __future__ import annotations

import datetime as dt

import numpy as np
import orjson
import pytest
from bars_builders import FIRST, LAST

from scanner.bars.budget import Unlimited
from scanner.bars.polygon import PolygonProvider
from scanner.errors import ProviderUnavailable

#: 16:00 in New York on 2025-07-09.
CLOSE = 1752091200000
BAR = {"v": 5, "o": 1, "c": 2, "h": 3, "l": 1, "t": 1750219200000}
GOOD = {"ticker": "AAA", "resultsCount": 1, "results": [BAR], "status": "OK"}


def provider_at(base_url, budget=None):
    """Return a provider with a clock of its own."""
    return PolygonProvider(
        base_url=base_url,
        key="SECRET",
        threads=2,
        own_clock=True,
        budget=budget or Unlimited(),
        time_budget=10.0,
    )


def test_each_question_is_of_its_kind(fake):
    """Listing and clock go before the bars of a symbol, retries included."""
    kinds = []

    class NotingBudget(Unlimited):
        def acquire(self, timeout, kind="bars"):
            kinds.append(kind)
            return super().acquire(timeout, kind)

    provider = provider_at(fake.base_url, NotingBudget())
    fake.answer(orjson.dumps({"status": "OK", "results": []}))
    provider.symbols("all")
    fake.answers.clear()
    fake.answer(b"", 500)
    fake.answer(orjson.dumps({"serverTime": "2025-07-09T16:00:00-04:00"}))
    provider.now()
    fake.answers.clear()
    fake.answer(orjson.dumps({"status": "OK", "tickers": []}))
    provider.snapshot(LAST)
    fake.answers.clear()
    fake.answer(orjson.dumps(GOOD))
    provider.fetch("AAA", FIRST, LAST)
    assert kinds == ["market", "market", "market", "live", "bars"]


@pytest.mark.parametrize("results", [[{"name": "x"}], ["AAA"], [{"ticker": None}]])
def test_a_listing_without_tickers_is_refused(fake, results):
    """Rows of a listing have to have a ticker."""
    fake.answer(orjson.dumps({"status": "OK", "results": results}))
    with pytest.raises(ProviderUnavailable, match="rows with a ticker"):
        provider_at(fake.base_url).symbols("all")


def test_a_clock_of_its_own_tells_the_time(fake):
    """With its offset; the exchange's calendar makes a session of it."""
    fake.answer(orjson.dumps({"serverTime": "2025-07-09T16:20:00-04:00"}))
    now = provider_at(fake.base_url).now()
    assert now == dt.datetime(2025, 7, 9, 20, 20, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "payload", [{}, {"serverTime": "noon"}, {"serverTime": "2025-07-09T16:00:00"}]
)
def test_a_clock_without_an_offset_is_refused(fake, payload):
    """A time without a zone could be any session."""
    fake.answer(orjson.dumps(payload))
    with pytest.raises(ProviderUnavailable, match="serverTime"):
        provider_at(fake.base_url).now()


def test_a_whole_session_is_asked_for_as_it_was_traded(fake):
    """By its date; its rows are of 16:00 on that day, and one of another moment is not refused."""
    rows = [{"T": "AAA", **BAR, "v": 1.5e6, "t": CLOSE}, {"T": "BRK.B", **BAR, "t": 7}]
    fake.answer(orjson.dumps({"resultsCount": 2, "results": rows, "status": "OK"}))
    day = provider_at(fake.base_url).day(dt.date(2025, 7, 9))
    assert day.symbols == ("AAA", "BRK.B")
    assert np.array_equal(day.values[:, 0], [1.0, 3.0, 1.0, 2.0, 1.5e6])
    ((path, _),) = fake.requests
    assert path == "/v2/aggs/grouped/locale/us/market/stocks/2025-07-09?adjusted=false"


@pytest.mark.parametrize("days", [-7, -1, 1])
def test_a_session_whose_bars_are_of_another_day_is_refused(fake, days):
    """After three answers; the first that is of the day is taken."""
    row = {"T": "AAA", **BAR}
    for at in (CLOSE + days * 86_400_000, CLOSE):
        body = {"resultsCount": 1, "results": [row | {"t": at}]}
        fake.answer(orjson.dumps(body))
    provider = provider_at(fake.base_url)
    assert provider.day(dt.date(2025, 7, 9)).symbols == ("AAA",)
    fake.answers = [(200, {}, orjson.dumps(body | {"results": [row | {"t": CLOSE - 86_400_000}]}))]
    with pytest.raises(ProviderUnavailable, match="got 1 of 1 of another day"):
        provider.day(dt.date(2025, 7, 9))
    assert len(fake.requests) == 2 + 3


def test_a_session_with_fewer_rows_than_it_says_is_refused(fake):
    """A market that lacks half of its symbols would pass for one without them."""
    fake.answer(orjson.dumps({"resultsCount": 9, "results": [{"T": "AAA", **BAR}]}))
    with pytest.raises(ProviderUnavailable, match="expected 9 results"):
        provider_at(fake.base_url).day(dt.date(2025, 7, 9))


def test_a_day_without_trading_is_an_empty_session(fake):
    """However the provider says nothing."""
    for body in ({"resultsCount": 0}, {"resultsCount": 0, "results": []}, {"results": None}):
        fake.answers.clear()
        fake.answer(orjson.dumps(body))
        assert provider_at(fake.base_url).day(dt.date(2025, 7, 4)).symbols == ()


@pytest.mark.parametrize("body", [{}, {"tickers": None}, {"tickers": {}}])
def test_a_snapshot_without_tickers_is_refused(fake, body):
    """It would pass for a market in which nothing is traded."""
    fake.answer(orjson.dumps(body))
    with pytest.raises(ProviderUnavailable, match="list of tickers"):
        provider_at(fake.base_url).snapshot(dt.date(2025, 7, 9))


def test_a_snapshot_that_was_cut_short_is_refused(fake):
    """The others would pass for symbols that have not traded."""
    fake.answer(orjson.dumps({"count": 2, "tickers": [{"ticker": "AAA"}]}))
    with pytest.raises(ProviderUnavailable, match="expected 2 tickers"):
        provider_at(fake.base_url).snapshot(dt.date(2025, 7, 9))
