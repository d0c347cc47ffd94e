"""Bars from Polygon (Massive) or from the simulator: symbols and dates come in, series go out.

`polygon_http` sends and retries, `polygon_answers` reads; here is which question to ask.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

from scanner.bars.adjust import Split
from scanner.bars.block import BarSeries
from scanner.bars.budget import Budget, Kind
from scanner.bars.market_day import MarketDay
from scanner.bars.polygon_answers import Payload, results_of, series_of
from scanner.bars.polygon_http import PolygonHttp
from scanner.bars.polygon_market import listed_of, market_day_of, snapshot_of, splits_of
from scanner.bars.universe import Listed, check_universe, selected
from scanner.errors import BadBars, ProviderUnavailable
from scanner.timeframe import day_number

_LISTING: Final = "/v3/reference/tickers?market=stocks&active=true&limit=1000"
_GROUPED: Final = "/v2/aggs/grouped/locale/us/market/stocks"
_SNAPSHOT: Final = "/v2/snapshot/locale/us/markets/stocks/tickers"

#: Seconds for a listing of about 12 pages: at 5 requests a minute they take 3 minutes.
LISTING_SECONDS: Final = 200.0

#: Answers that are asked for until one can be true; the same number until no bars are believed.
_ANSWERS: Final = 3

_T = TypeVar("_T")


class PolygonProvider:
    """Daily bars by HTTP: one request a symbol, or one a session of the whole market."""

    def __init__(
        self,
        *,
        base_url: str,
        key: str | None,
        threads: int,
        budget: Budget,
        time_budget: float,
        own_clock: bool = False,
    ) -> None:
        self._http = PolygonHttp(base_url=base_url, key=key, threads=threads, budget=budget)
        self._time_budget = time_budget
        self._own_clock = own_clock

    def __repr__(self) -> str:
        return f"PolygonProvider({self._http!r})"

    def fetch(self, symbol: str, first: dt.date, last: dt.date) -> BarSeries:
        """Return the bars of `symbol` with first <= session <= last, oldest first.

        Split-adjusted as of now. The provider answers an unknown symbol as one without bars.
        The time budget bounds all waits but the last answer's, which READ_TIMEOUT bounds.
        """
        return self._range(symbol, first, last, "bars")

    def sample(self, symbol: str, first: dt.date, last: dt.date) -> BarSeries:
        """Return what `fetch` does, if nothing else wants to be asked for; else RateLimited."""
        return self._range(symbol, first, last, "sample")

    def _range(self, symbol: str, first: dt.date, last: dt.date, kind: Kind) -> BarSeries:
        if last < first:
            return series_of(symbol, [], first, last)
        path = (
            f"/v2/aggs/ticker/{quote(symbol, safe='')}/range/1/day/{first}/{last}"
            "?adjusted=true&sort=asc&limit=50000"
        )

        def read(pages: Sequence[Payload]) -> BarSeries:
            results: list[object] = []
            for payload in pages:
                _check_symbol(symbol, payload)
                results += results_of(payload, symbol, "resultsCount")
            return series_of(symbol, results, first, last)

        return self._answer(path, symbol, kind, read, lambda series: len(series) == 0)

    def _answer(
        self,
        path: str,
        subject: str,
        kind: Kind,
        read: Callable[[Sequence[Payload]], _T],
        is_doubtful: Callable[[_T], bool] = lambda _: False,
    ) -> _T:
        """Return what `read` makes of all pages.

        An answer that it refuses, or that is doubtful, is asked for again; the last one counts.
        """
        ends = time.monotonic() + self._time_budget
        for again in range(_ANSWERS - 1, -1, -1):
            pages = list(self._http.pages(path, subject, ends - time.monotonic(), kind))
            try:
                found = read(pages)
            except (BadBars, ProviderUnavailable):
                if not again:
                    raise
            else:
                if not (again and is_doubtful(found)):
                    return found
        raise AssertionError("the last answer counts")

    def day(self, session: dt.date) -> MarketDay:
        """Return the bars of the whole market in `session`, as they were traded."""
        subject = f"session {session}"
        path = f"{_GROUPED}/{session}?adjusted=false"

        def read(pages: Sequence[Payload]) -> MarketDay:
            rows = [row for page in pages for row in results_of(page, subject, "resultsCount")]
            return market_day_of(day_number(session), rows)

        return self._answer(path, subject, "market", read)

    def splits(self, first: dt.date, last: dt.date) -> list[Split]:
        """Return the splits with first <= execution date <= last."""
        path = (
            f"/v3/reference/splits?execution_date.gte={first}&execution_date.lte={last}"
            "&sort=execution_date&order=asc&limit=1000"
        )
        return splits_of(self._rows(path, "splits"))

    def snapshot(self, session: dt.date) -> MarketDay:
        """Return the forming bars of `session`, which is open now, of the whole market."""
        payload = self._http.get(_SNAPSHOT, "snapshot", self._time_budget, "live")
        rows = payload.get("tickers")
        if not isinstance(rows, list):
            raise ProviderUnavailable(
                f"snapshot: expected a list of tickers, got {type(rows).__name__}"
            )
        count = payload.get("count")
        if count is not None and count != len(rows):
            raise ProviderUnavailable(
                f"snapshot: expected {count} tickers, as count says, got {len(rows)}"
            )
        return snapshot_of(day_number(session), rows)

    def listing(self) -> list[Listed]:
        """Return the active US stocks and what is told of each, sorted by symbol."""
        subject = "listing"
        found = (listed_of(row, subject) for row in self._rows(_LISTING, subject))
        return sorted({one.symbol: one for one in found}.values(), key=lambda one: one.symbol)

    def symbols(self, universe: str) -> list[str]:
        """Return the active US stocks of the named universe, sorted; see `selected`."""
        check_universe(universe)
        return selected(self.listing(), universe)

    def _rows(self, path: str, subject: str) -> list[object]:
        """Return the results of all pages."""
        rows: list[object] = []
        for payload in self._http.pages(path, subject, LISTING_SECONDS, "market"):
            rows += results_of(payload, subject, "count")
        return rows

    def last_session(self) -> None:
        """Return None: the exchange's calendar decides by `now`."""

    def now(self) -> dt.datetime | None:
        """Return the provider's time if it has a clock of its own; None if it is in real time."""
        if not self._own_clock:
            return None
        payload = self._http.get("/v1/marketstatus/now", "clock", self._time_budget, "market")
        return _server_time(payload)


def _check_symbol(symbol: str, payload: Payload) -> None:
    answered = payload.get("ticker", symbol)
    if answered != symbol:
        raise ProviderUnavailable(f"{symbol}: expected its bars, got those of {answered!r:.40}")


def _server_time(payload: Payload) -> dt.datetime:
    text = payload.get("serverTime")
    try:
        moment = dt.datetime.fromisoformat(str(text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ProviderUnavailable(
            f"clock: expected serverTime as an ISO time with an offset, got {text!r:.40}"
        )
    return moment
