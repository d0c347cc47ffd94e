"""The endpoints: HTTP requests come from `gate`, bodies of `aggregates` and the others go out.

Faults that concern the connection or the whole answer are made in `broken`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simulator.aggregates import Aggregates
from simulator.bodies import Bodies, Spoiler
from simulator.broken import failed_response
from simulator.clock import Clock
from simulator.faults import DATA_FAULTS, FaultPlan, parse_fault
from simulator.gate import Counts, error_response, json_response
from simulator.listing import Listing
from simulator.market import Market
from simulator.questions import base_url, faults_asked, range_question, time_asked
from simulator.sessions import date_of, day_of
from simulator.snapshot import Snapshots
from simulator.split_pages import SplitPages
from simulator.status import status_now, upcoming
from simulator.tape import Tape

_RANGE: Final = "/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{first}/{last}"
_GROUPED: Final = "/v2/aggs/grouped/locale/us/market/stocks/{date}"
_SNAPSHOT: Final = "/v2/snapshot/locale/us/markets/stocks/tickers"


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
        tape, bodies = Tape(market, seed=seed), Bodies()
        self._aggregates = Aggregates(tape, bodies)
        self._snapshots = Snapshots(market, tape, clock, bodies)
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
                Route(_SNAPSHOT, self._snapshot),
                Route(_SNAPSHOT + "/{ticker}", self._snapshot_of_one),
                Route("/v3/reference/tickers", self._tickers),
                Route("/v3/reference/splits", self._splits_page),
                Route("/v1/marketstatus/now", self._status),
                Route("/v1/marketstatus/upcoming", self._upcoming),
                Route("/simulator/counts", self._report),
                Route("/simulator/clock", self._move_clock, methods=["POST"]),
                Route("/simulator/faults", self._change_faults, methods=["POST"]),
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
        question, moment, url = range_question(request), self._clock.moment, base_url(request)
        return self._answer(
            symbol, lambda spoil: self._aggregates.range_body(question, moment, url, spoil)
        )

    async def _grouped(self, request: Request) -> Response:
        day = day_of(dt.date.fromisoformat(request.path_params["date"]))
        date, moment = date_of(day).isoformat(), self._clock.moment
        self._counts.days[date] += 1
        adjusted = request.query_params.get("adjusted", "true") != "false"
        return self._answer(
            date,
            lambda spoil: self._aggregates.grouped_body(
                day, moment, adjusted=adjusted, spoil=spoil
            ),
        )

    async def _snapshot(self, request: Request) -> Response:
        tickers = request.query_params.get("tickers")
        return self._answer("snapshot", lambda spoil: self._snapshots.body(tickers or None, spoil))

    async def _snapshot_of_one(self, request: Request) -> Response:
        symbol = request.path_params["ticker"]
        if self._snapshots.one_body(symbol, None) is None:
            body = {"status": "NOT_FOUND", "request_id": "0" * 32, "message": "Ticker not found."}
            return json_response(orjson.dumps(body), 404)
        return self._answer(
            "snapshot", lambda spoil: self._snapshots.one_body(symbol, spoil) or b""
        )

    async def _splits_page(self, request: Request) -> Response:
        payload = self._splits.payload(
            request.query_params, base_url(request), self._clock.moment.day
        )
        return self._answer(
            "splits", lambda spoil: orjson.dumps(payload if spoil is None else spoil(payload))
        )

    async def _tickers(self, request: Request) -> Response:
        return json_response(self._listing.body(request.query_params, base_url(request)))

    async def _status(self, _request: Request) -> Response:
        return json_response(orjson.dumps(status_now(self._clock.now)))

    async def _upcoming(self, _request: Request) -> Response:
        return json_response(orjson.dumps(upcoming(self._clock.now)))

    async def _move_clock(self, request: Request) -> Response:
        if not _is_local(request):
            return error_response(403, "the clock is set from the simulator's own machine only")
        self._clock.move(await time_asked(request))
        session = date_of(self._clock.moment.session).isoformat()
        body = {"now": self._clock.now.isoformat(), "session": session}
        return json_response(orjson.dumps(body))

    async def _change_faults(self, request: Request) -> Response:
        if not _is_local(request):
            return error_response(403, "faults are set from the simulator's own machine only")
        texts, after = await faults_asked(request)
        self._faults.replace([parse_fault(text) for text in texts], after=after)
        return json_response(orjson.dumps({"faults": texts, "after": after}))

    async def _report(self, _request: Request) -> Response:
        return json_response(self._counts.body())


def _is_local(request: Request) -> bool:
    return request.client is not None and ip_address(request.client.host).is_loopback


async def _not_found(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("404 page not found", status_code=404)


async def _not_understood(_request: Request, error: Exception) -> Response:
    return error_response(400, str(error))
