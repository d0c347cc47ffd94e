"""The endpoints: HTTP requests come from `gate`, bodies from `aggregates` and `listing` go out.

Faults that concern the connection or the whole answer are made in `broken`.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simulator.aggregates import Aggregates, RangeQuestion
from simulator.broken import failed_response
from simulator.clocked import ClockedMarket
from simulator.faults import DATA_FAULTS, FaultPlan
from simulator.gate import Counts, error_response, json_response
from simulator.listing import Listing
from simulator.reference import Reference
from simulator.sessions import (
    EXCHANGE_ZONE,
    FIRST_DAY,
    LAST_DAY,
    all_sessions,
    closing_time,
    day_at,
    day_of,
)

_MOST_BARS: Final = 50_000
_RANGE: Final = "/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{first}/{last}"
_SNAPSHOT: Final = "/v2/snapshot/locale/us/markets/stocks/tickers"
_GROUPED: Final = "/v2/aggs/grouped/locale/us/market/stocks/{date}"


class Endpoints:
    """The answers of one simulated provider."""

    def __init__(
        self,
        market: Callable[[dt.datetime], ClockedMarket],
        *,
        counts: Counts,
        faults: FaultPlan,
        clock: dt.datetime,
        repeat_splits: bool = False,
    ) -> None:
        self._market_at = market
        self._counts = counts
        self._faults = faults
        self._repeat_splits = repeat_splits
        self._set_clock(clock)

    def _set_clock(self, now: dt.datetime) -> None:
        """Make everything anew that depends on the time."""
        self._clock = now.astimezone(EXCHANGE_ZONE)
        market = self._market_at(self._clock)
        self._aggregates = Aggregates(market)
        self._listing = Listing(market)
        self._reference = Reference(market, self._aggregates, repeat=self._repeat_splits)

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route(_RANGE, self._range),
                Route(_GROUPED, self._grouped),
                Route("/v3/reference/tickers", self._tickers),
                Route("/v3/reference/splits", self._splits),
                Route(_SNAPSHOT, self._snapshot),
                Route(f"{_SNAPSHOT}/{{ticker}}", self._one_snapshot),
                Route("/v1/marketstatus/now", self._status),
                Route("/v1/marketstatus/upcoming", self._upcoming),
                Route("/simulator/clock", self._move_clock, methods=["POST"]),
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
        date = request.path_params["date"]
        self._counts.days[date] += 1
        fault = self._faults.choose(date)
        spoil = DATA_FAULTS.get(fault) if fault else None
        adjusted = request.query_params.get("adjusted", "true") != "false"
        body = self._aggregates.grouped_body(day, adjusted=adjusted, spoil=spoil)
        if fault is None or spoil is not None:
            return json_response(body)
        return failed_response(fault, body)

    async def _splits(self, request: Request) -> Response:
        try:
            body = self._reference.splits_body(request.query_params, _base_url(request))
        except ValueError as error:
            return error_response(400, str(error))
        return self._perhaps_failed("splits", body)

    async def _snapshot(self, request: Request) -> Response:
        names = request.query_params.get("tickers")
        wanted = None if names is None else frozenset(names.split(","))
        return self._perhaps_failed("snapshot", self._reference.snapshot_body(wanted))

    async def _one_snapshot(self, request: Request) -> Response:
        body = self._reference.one_snapshot(request.path_params["ticker"])
        if body is None:
            return json_response(
                orjson.dumps({"status": "NOT_FOUND", "message": "no such ticker"}), 404
            )
        return json_response(body)

    def _perhaps_failed(self, subject: str, body: bytes) -> Response:
        """Return `body`, or what its fault makes of it."""
        fault = self._faults.choose(subject)
        if fault is None or fault in DATA_FAULTS:
            return json_response(body)
        return failed_response(fault, body)

    async def _tickers(self, request: Request) -> Response:
        try:
            return json_response(self._listing.body(request.query_params, _base_url(request)))
        except ValueError as error:
            return error_response(400, str(error))

    async def _status(self, _request: Request) -> Response:
        now = self._clock
        closing = closing_time(now.date())
        is_session = day_of(now.date()) in all_sessions()
        market = "closed"
        if is_session and dt.time(9, 30) <= now.time() < closing:
            market = "open"
        elif is_session and dt.time(4) <= now.time() < dt.time(20):
            market = "extended-hours"
        body = {
            "market": market,
            "earlyHours": market == "extended-hours" and now.time() < dt.time(9, 30),
            "afterHours": market == "extended-hours" and now.time() >= closing,
            "serverTime": now.isoformat(timespec="seconds"),
            "exchanges": dict.fromkeys(("nasdaq", "nyse", "otc"), market),
        }
        return json_response(orjson.dumps(body))

    async def _upcoming(self, _request: Request) -> Response:
        return json_response(self._reference.upcoming_body())

    async def _move_clock(self, request: Request) -> Response:
        try:
            now = dt.datetime.fromisoformat(orjson.loads(await request.body())["now"])
        except (ValueError, KeyError, TypeError) as error:
            return error_response(400, f'expected {{"now": an ISO time with an offset}}: {error}')
        if now.tzinfo is None or not FIRST_DAY < now.date() <= LAST_DAY:
            return error_response(400, f"expected a time with an offset up to {LAST_DAY}")
        self._set_clock(now)
        return json_response(orjson.dumps({"now": self._clock.isoformat()}))

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
