"""Bodies of the reference endpoint: a query and a market come in, JSON bytes go to `app`.

Pages follow the symbols in order; a cursor is the query with the place to go on from.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Any, Final

import orjson

from simulator.market import Market
from simulator.paging import cursor_of, limit_of, query_of

_MOST: Final = 1000
_EXCHANGES: Final = {"CS": ("XNAS", "XNYS"), "ETF": ("ARCX", "XNAS"), "ADRC": ("XNYS", "XNAS")}


class Listing:
    """The JSON of the list of tickers."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def body(self, query: Mapping[str, str], base_url: str) -> bytes:
        """Return one page of tickers; ValueError if the query cannot be understood."""
        query = query_of(query)
        limit = limit_of(query, default=100, most=_MOST)
        symbols = self._selected(query)
        page = symbols[:limit]
        payload: dict[str, Any] = {
            "results": [self._row(symbol) for symbol in page],
            "status": "OK",
            "request_id": "0" * 32,
            "count": len(page),
        }
        if len(symbols) > limit:
            payload["next_url"] = _next_url(query, page[-1], base_url)
        return orjson.dumps(payload)

    def _selected(self, query: Mapping[str, str]) -> list[str]:
        if query.get("market", "stocks") != "stocks" or query.get("active", "true") != "true":
            return []
        every = self._market.symbols
        start, stop = 0, len(every)
        bounds = {"ticker.gt": bisect_right, "ticker.gte": bisect_left, "ticker": bisect_left}
        for name, bisect in bounds.items():
            if name in query:
                start = max(start, bisect(every, query[name]))
        bounds = {"ticker.lt": bisect_left, "ticker.lte": bisect_right, "ticker": bisect_right}
        for name, bisect in bounds.items():
            if name in query:
                stop = min(stop, bisect(every, query[name]))
        symbols = list(every[start:stop])
        if "type" in query:
            symbols = [name for name in symbols if self._market.kind(name) == query["type"]]
        return symbols[::-1] if query.get("order") == "desc" else symbols

    def _row(self, symbol: str) -> dict[str, Any]:
        kind = self._market.kind(symbol)
        exchanges = _EXCHANGES.get(kind, ("XNYS",))
        return {
            "ticker": symbol,
            "name": f"{symbol} Simulated {'Fund' if kind == 'ETF' else 'Inc.'}",
            "market": "stocks",
            "locale": "us",
            "primary_exchange": exchanges[len(symbol) % len(exchanges)],
            "type": kind,
            "active": True,
            "currency_name": "usd",
            "last_updated_utc": "2025-01-01T00:00:00Z",
        }


def _next_url(query: Mapping[str, str], last: str, base_url: str) -> str:
    place = "ticker.lt" if query.get("order") == "desc" else "ticker.gt"
    cursor = cursor_of(dict(query) | {place: last})
    return f"{base_url}/v3/reference/tickers?cursor={cursor}"
