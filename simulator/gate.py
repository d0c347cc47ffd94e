"""The door of the simulator: each request is counted, delayed and may be refused here.

Requests come from uvicorn, those that pass go to `app`; `/simulator/` passes at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Arrivals whose times are kept.
_ARRIVALS: Final = 20_000

_ENDPOINTS: Final = {
    "/v2/aggs/ticker/": "range",
    "/v2/aggs/grouped/": "grouped",
    "/v2/snapshot/": "snapshot",
    "/v3/reference/tickers": "tickers",
    "/v3/reference/splits": "splits",
    "/v1/marketstatus/": "status",
}


@dataclass(slots=True, kw_only=True)
class Counts:
    """What has been asked and answered since the start."""

    #: By endpoint, by symbol of a range, and by date of a whole day.
    requests: Counter[str] = field(default_factory=Counter)
    bars: Counter[str] = field(default_factory=Counter)
    days: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    #: Monotonic seconds of the last requests.
    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=_ARRIVALS))
    at_once: int = 0
    most_at_once: int = 0

    def body(self) -> bytes:
        """Return the counts as JSON."""
        return orjson.dumps(
            {
                "requests": self.requests,
                "bars": self.bars,
                "days": self.days,
                "statuses": self.statuses,
                "most_at_once": self.most_at_once,
                "arrivals": list(self.arrivals),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `limit` requests in any `seconds`."""

    limit: int
    seconds: float


class Gate:
    """ASGI application around the endpoints."""

    def __init__(
        self, inner: ASGIApp, counts: Counts, *, latency: float, rate: Rate | None, key: str | None
    ) -> None:
        self._inner = inner
        self._counts = counts
        self._latency = latency
        self._rate = rate
        self._key = key
        self._granted: deque[float] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request, then answer or refuse it."""
        path = scope["path"]
        if path.startswith("/simulator/"):
            await self._inner(scope, receive, send)
            return
        counts = self._counts
        counts.arrivals.append(time.monotonic())
        counts.requests[_endpoint(path)] += 1
        counts.at_once += 1
        counts.most_at_once = max(counts.most_at_once, counts.at_once)
        scope["simulator.connection"] = getattr(getattr(send, "__self__", None), "transport", None)

        async def count_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                counts.statuses[str(message["status"])] += 1
            await send(message)

        try:
            await self._answer(scope, receive, count_and_send)
        finally:
            counts.at_once -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if self._latency:
            await asyncio.sleep(self._latency)
        await (refusal or self._inner)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if self._key is not None and not _carries(scope, self._key):
            return error_response(401, "Unknown API Key")
        if not self._within_rate():
            return too_many_requests()
        return None

    def _within_rate(self) -> bool:
        if self._rate is None:
            return True
        now = time.monotonic()
        while self._granted and self._granted[0] <= now - self._rate.seconds:
            self._granted.popleft()
        if len(self._granted) >= self._rate.limit:
            return False
        self._granted.append(now)
        return True


def error_response(status: int, text: str) -> Response:
    """Return Polygon's JSON of an error."""
    body = {"status": "ERROR", "request_id": "0" * 32, "error": text}
    return json_response(orjson.dumps(body), status)


def too_many_requests() -> Response:
    """Return Polygon's answer beyond the rate of a plan."""
    return error_response(
        429,
        "You've exceeded the maximum requests per minute, please wait or upgrade your "
        "subscription to continue.",
    )


def json_response(body: bytes, status: int = 200) -> Response:
    """Return `body` as a JSON answer."""
    return Response(body, status_code=status, media_type="application/json")


def _endpoint(path: str) -> str:
    for start, name in _ENDPOINTS.items():
        if path.startswith(start):
            return name
    return "other"


def _carries(scope: dict[str, Any] | Scope, key: str) -> bool:
    expected = f"Bearer {key}".encode()
    if any(name == b"authorization" and value == expected for name, value in scope["headers"]):
        return True
    return parse_qs(scope["query_string"].decode("latin-1")).get("apiKey") == [key]
