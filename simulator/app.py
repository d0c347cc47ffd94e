"""The endpoints: HTTP requests come from `gate`, bodies from `aggregates` and `listing` go out.

Faults that concern the connection or the whole answer are made in `broken`.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import Final
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simulator.aggregates import Aggregates, RangeQuestion
from simulator.broken import failed_response
from simulator.faults import DATA_FAULTS, FaultPlan
from simulator.gate import Counts, error_response, json_response
from simulator.listing import Listing
from simulator.market import Market
from simulator.sessions import EXCHANGE_ZONE, day_at, day_of

_MOST_BARS: Final = 50_000
_RANGE: Final = "/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{first}/{last}"
_GROUPED: Final = "/v2/aggs/grouped/locale/us/market/stocks/{date}"


class Endpoints:
    """The answers of one simulated provider."""

    def __init__(
        self, market: Market, *, counts: Counts, faults: FaultPlan, clock: dt.datetime
    ) -> None:
        self._aggregates = Aggregates(market)
        self._listing = Listing(market)
        self._counts = counts
        self._faults = faults
        self._clock = clock

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route(_RANGE, self._range),
                Route(_GROUPED, self._grouped),
                Route("/v3/reference/tickers", self._tickers),
                Route("/v1/marketstatus/now", self._status),
                Route("/simulator/counts", self._report),
            ],
            exception_handlers={404: _not_found},
        )

    async def _range(self, request: Request) -> Response:
        symbol = request.path_params["ticker"]
        self._counts.bars[symbol] += 1
        fault = self._faults.choose(symbol)
        try:
            question = _range_question(request)
        except ValueError as error:
            return error_response(400, str(error))
        spoil = DATA_FAULTS.get(fault) if fault else None
        body = self._aggregates.range_body(question, _base_url(request), spoil)
        if fault is None or spoil is not None:
            return json_response(body)
        return failed_response(fault, body)

    async def _grouped(self, request: Request) -> Response:
        try:
            day = day_of(dt.date.fromisoformat(request.path_params["date"]))
        except ValueError as error:
            return error_response(400, str(error))
        adjusted = request.query_params.get("adjusted", "true") != "false"
        return json_response(self._aggregates.grouped_body(day, adjusted=adjusted))

    async def _tickers(self, request: Request) -> Response:
        try:
            return json_response(self._listing.body(request.query_params, _base_url(request)))
        except ValueError as error:
            return error_response(400, str(error))

    async def _status(self, _request: Request) -> Response:
        is_open = dt.time(9, 30) <= self._clock.time() < dt.time(16) and self._clock.weekday() < 5
        market = "open" if is_open else "closed"
        exchanges = dict.fromkeys(("nasdaq", "nyse", "otc"), market)
        server_time = self._clock.isoformat(timespec="seconds")
        body = {"market": market, "serverTime": server_time, "exchanges": exchanges}
        return json_response(orjson.dumps(body))

    async def _report(self, _request: Request) -> Response:
        return json_response(self._counts.body())


def clock_after_close(day: dt.date) -> dt.datetime:
    """Return a moment shortly after the close of the session `day`."""
    return dt.datetime(day.year, day.month, day.day, 16, 20, tzinfo=EXCHANGE_ZONE)


def _range_question(request: Request) -> RangeQuestion:
    path = request.path_params
    if (path["multiplier"], path["timespan"]) != ("1", "day"):
        raise ValueError("the simulator has daily bars only: expected range/1/day")
    query = dict(request.query_params) | _cursor_query(request.query_params.get("cursor"))
    limit = int(query.get("limit", 5000))
    if not 1 <= limit <= _MOST_BARS:
        raise ValueError(f"limit: expected 1 to {_MOST_BARS}, got {limit}")
    first, last = _day("from", path["first"]), _day("to", path["last"])
    if last < first:
        raise ValueError("'to' cannot be a time that occurs before 'from'")
    return RangeQuestion(
        symbol=path["ticker"],
        first=first,
        last=last,
        adjusted=query.get("adjusted", "true") != "false",
        descending=query.get("sort", "asc") == "desc",
        limit=limit,
    )


def _day(name: str, text: str) -> int:
    try:
        if len(text) == 10 and text[4] == "-":
            return day_of(dt.date.fromisoformat(text))
        return day_at(int(text))
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(
            f"Could not parse the time parameter: '{name}'. Use YYYY-MM-DD or Unix MS Timestamps"
        ) from error


def _cursor_query(cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    padded = cursor + "=" * (-len(cursor) % 4)
    return dict(parse_qsl(base64.urlsafe_b64decode(padded).decode()))


def _base_url(request: Request) -> str:
    host = request.headers.get("host") or "{}:{}".format(*request.scope["server"])
    return f"{request.scope['scheme']}://{host}"


async def _not_found(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("404 page not found", status_code=404)
