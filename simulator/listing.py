"""Bodies of the reference endpoint: a query and a market come in, JSON bytes go to `app`.

Pages follow the symbols in order; a cursor is the query with the place to go on from.
"""

from __future__ import annotations

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson

from simulator.clocked import ClockedMarket

_MOST: Final = 1000
_EXCHANGES: Final = {"CS": ("XNAS", "XNYS"), "ETF": ("ARCX", "XNAS"), "ADRC": ("XNYS", "XNAS")}


class Listing:
    """The JSON of the list of tickers."""

    def __init__(self, market: ClockedMarket) -> None:
        self._market = market

    def body(self, query: Mapping[str, str], base_url: str) -> bytes:
        """Return one page of tickers; ValueError if the query cannot be understood."""
        query = _query_of(query)
        limit = int(query.get("limit", 100))
        if not 1 <= limit <= _MOST:
            raise ValueError(f"limit: expected 1 to {_MOST}, got {limit}")
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


def _query_of(query: Mapping[str, str]) -> Mapping[str, str]:
    cursor = query.get("cursor")
    if cursor is None:
        return query
    padded = cursor + "=" * (-len(cursor) % 4)
    return dict(parse_qsl(base64.urlsafe_b64decode(padded).decode()))


def _next_url(query: Mapping[str, str], last: str, base_url: str) -> str:
    place = "ticker.lt" if query.get("order") == "desc" else "ticker.gt"
    kept = {name: value for name, value in query.items() if name.lower() != "apikey"}
    text = urlencode(kept | {place: last})
    cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{base_url}/v3/reference/tickers?cursor={cursor}"
