"""Bars from Polygon (Massive) or from the simulator: symbols and dates come in, series go out.

`polygon_http` sends and retries, `polygon_answers` reads; here is which question to ask.
"""

from __future__ import annotations

import datetime as dt
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from scanner.bars.block import BarSeries
from scanner.bars.budget import Budget
from scanner.bars.polygon_answers import Payload, results_of, series_of
from scanner.bars.polygon_http import PolygonHttp
from scanner.errors import ConfigError, ProviderUnavailable

#: The listing's query of each universe.
_UNIVERSES: Final = {
    "all": "market=stocks&active=true&limit=1000",
    "common": "market=stocks&active=true&type=CS&limit=1000",
}

#: Seconds for a listing of about 12 pages: at 5 requests a minute they take 3 minutes.
_LISTING_TIME: Final = 600.0

_EXCHANGE_ZONE: Final = ZoneInfo("America/New_York")
_CLOSE: Final = dt.time(16)


class PolygonProvider:
    """Daily bars by HTTP, one request a symbol."""

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
        if last < first:
            return series_of(symbol, [], first, last)
        path = (
            f"/v2/aggs/ticker/{quote(symbol, safe='')}/range/1/day/{first}/{last}"
            "?adjusted=true&sort=asc&limit=50000"
        )
        results: list[object] = []
        for payload in self._http.pages(path, symbol, self._time_budget):
            _check_symbol(symbol, payload)
            results += results_of(payload, symbol, "resultsCount")
        return series_of(symbol, results, first, last)

    def symbols(self, universe: str) -> list[str]:
        """Return the active US stocks, sorted: "all" types, or "common" stocks only."""
        query = _UNIVERSES.get(universe)
        if query is None:
            raise ConfigError(
                f"expected the universe {' or '.join(_UNIVERSES)} or a file, got {universe!r}"
            )
        subject = f"universe {universe}"
        found: set[str] = set()
        path = f"/v3/reference/tickers?{query}"
        for payload in self._http.pages(path, subject, _LISTING_TIME, "market"):
            found.update(_symbol_of(row, subject) for row in results_of(payload, subject, "count"))
        return sorted(found)

    def last_session(self) -> dt.date | None:
        """Return the last session that is over by the provider's clock, if it has its own.

        That is the clock's date from 16:00 in New York on, and the weekday before it earlier
        or at weekends; holidays are not known here. None for a provider in real time.
        """
        if not self._own_clock:
            return None
        payload = self._http.get("/v1/marketstatus/now", "clock", self._time_budget, "market")
        now = _server_time(payload).astimezone(_EXCHANGE_ZONE)
        day = now.date() if now.time() >= _CLOSE else now.date() - dt.timedelta(days=1)
        return day - dt.timedelta(days=max(0, day.weekday() - 4))


def _check_symbol(symbol: str, payload: Payload) -> None:
    answered = payload.get("ticker", symbol)
    if answered != symbol:
        raise ProviderUnavailable(f"{symbol}: expected its bars, got those of {answered!r:.40}")


def _symbol_of(row: object, subject: str) -> str:
    symbol = row.get("ticker") if isinstance(row, dict) else None
    if not isinstance(symbol, str):
        raise ProviderUnavailable(f"{subject}: expected rows with a ticker, got {row!r:.80}")
    return symbol


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
