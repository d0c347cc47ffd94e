"""Bodies of the reference endpoint: a query and a market come in, JSON bytes go to `app`.

Pages follow the symbols in order; a cursor is the query with the place to go on from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from simulator.market import Market
from simulator.paging import choice_of, cursor_of, limit_of, query_of, within

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
        choice_of(query, "sort", ("ticker",))
        order = choice_of(query, "order", ("asc", "desc"))
        if query.get("market", "stocks") != "stocks" or query.get("active", "true") != "true":
            return []
        symbols = [name for name in self._market.symbols if self._is_meant(name, query)]
        return symbols[::-1] if order == "desc" else symbols

    def _is_meant(self, symbol: str, query: Mapping[str, str]) -> bool:
        if not within(query, "ticker", symbol):
            return False
        facts = {"type": self._market.kind(symbol), "exchange": self._exchange(symbol)}
        return self._is_found(symbol, query.get("search", "").casefold()) and all(
            query.get(name, fact) == fact for name, fact in facts.items()
        )

    def _is_found(self, symbol: str, start_of: str) -> bool:
        """Return whether the symbol or its name begins with the text, in any case."""
        return any(text.casefold().startswith(start_of) for text in (symbol, self._name(symbol)))

    def _name(self, symbol: str) -> str:
        return f"{symbol} Simulated {'Fund' if self._market.kind(symbol) == 'ETF' else 'Inc.'}"

    def _exchange(self, symbol: str) -> str:
        exchanges = _EXCHANGES.get(self._market.kind(symbol), ("XNYS",))
        return exchanges[len(symbol) % len(exchanges)]

    def _row(self, symbol: str) -> dict[str, Any]:
        return {
            "ticker": symbol,
            "name": self._name(symbol),
            "market": "stocks",
            "locale": "us",
            "primary_exchange": self._exchange(symbol),
            "type": self._market.kind(symbol),
            "active": True,
            "currency_name": "usd",
            "last_updated_utc": "2025-01-01T00:00:00Z",
        }


def _next_url(query: Mapping[str, str], last: str, base_url: str) -> str:
    place = "ticker.lt" if query.get("order") == "desc" else "ticker.gt"
    cursor = cursor_of(dict(query) | {place: last})
    return f"{base_url}/v3/reference/tickers?cursor={cursor}"
