"""The endpoints: HTTP requests come from `gate`, bodies of `aggregates` and the others go out.

Faults that concern the connection or the whole answer are made in `broken`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simulator.aggregates import Aggregates, RangeQuestion
from simulator.bodies import Bodies, Spoiler
from simulator.broken import failed_response
from simulator.clock import Clock
from simulator.faults import DATA_FAULTS, FaultPlan
from simulator.gate import Counts, error_response, json_response
from simulator.listing import Listing
from simulator.market import Market
from simulator.paging import limit_of, query_of
from simulator.sessions import day_at, day_of
from simulator.split_pages import SplitPages
from simulator.tape import Tape

_MOST_BARS: Final = 50_000
_RANGE: Final = "/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{first}/{last}"
_GROUPED: Final = "/v2/aggs/grouped/locale/us/market/stocks/{date}"


class Endpoints:
    """The answers of one simulated provider."""

    def __init__(
        self,
        market: Market,
        *,
        counts: Counts,
        faults: FaultPlan,
        clock: Clock,
        seed: int,
        split_twice: bool,
    ) -> None:
        self._aggregates = Aggregates(Tape(market, seed=seed), Bodies())
        self._listing = Listing(market)
        self._splits = SplitPages(market, twice=split_twice)
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
                Route("/v3/reference/splits", self._splits_page),
                Route("/v1/marketstatus/now", self._status),
                Route("/simulator/counts", self._report),
            ],
            exception_handlers={404: _not_found, ValueError: _not_understood},
        )

    def _answer(self, subject: str, make: Callable[[Spoiler | None], bytes]) -> Response:
        """Answer with the body that `make` gives, or with the fault of `subject`."""
        fault = self._faults.choose(subject)
        spoil = DATA_FAULTS.get(fault) if fault else None
        body = make(spoil)
        if fault is None or spoil is not None:
            return json_response(body)
        return failed_response(fault, body)

    async def _range(self, request: Request) -> Response:
        symbol = request.path_params["ticker"]
        self._counts.bars[symbol] += 1
        question, moment, base_url = (
            _range_question(request),
            self._clock.moment,
            _base_url(request),
        )
        return self._answer(
            symbol,
            lambda spoil: self._aggregates.range_body(question, moment, base_url, spoil),
        )

    async def _grouped(self, request: Request) -> Response:
        date = request.path_params["date"]
        day = day_of(dt.date.fromisoformat(date))
        moment = self._clock.moment
        adjusted = request.query_params.get("adjusted", "true") != "false"
        return self._answer(
            date,
            lambda spoil: self._aggregates.grouped_body(
                day, moment, adjusted=adjusted, spoil=spoil
            ),
        )

    async def _splits_page(self, request: Request) -> Response:
        payload = self._splits.payload(
            request.query_params, _base_url(request), self._clock.moment.day
        )
        return self._answer(
            "splits", lambda spoil: orjson.dumps(payload if spoil is None else spoil(payload))
        )

    async def _tickers(self, request: Request) -> Response:
        return json_response(self._listing.body(request.query_params, _base_url(request)))

    async def _status(self, _request: Request) -> Response:
        now = self._clock.now
        is_open = dt.time(9, 30) <= now.time() < dt.time(16) and now.weekday() < 5
        market = "open" if is_open else "closed"
        exchanges = dict.fromkeys(("nasdaq", "nyse", "otc"), market)
        server_time = now.isoformat(timespec="seconds")
        body = {"market": market, "serverTime": server_time, "exchanges": exchanges}
        return json_response(orjson.dumps(body))

    async def _report(self, _request: Request) -> Response:
        return json_response(self._counts.body())


def _range_question(request: Request) -> RangeQuestion:
    path = request.path_params
    if (path["multiplier"], path["timespan"]) != ("1", "day"):
        raise ValueError("the simulator has daily bars only: expected range/1/day")
    query = query_of(request.query_params)
    limit = limit_of(query, default=5000, most=_MOST_BARS)
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


def _base_url(request: Request) -> str:
    host = request.headers.get("host") or "{}:{}".format(*request.scope["server"])
    return f"{request.scope['scheme']}://{host}"


async def _not_found(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("404 page not found", status_code=404)


async def _not_understood(_request: Request, error: Exception) -> Response:
    return error_response(400, str(error))
