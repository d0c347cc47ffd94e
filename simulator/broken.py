"""Answers that are broken on purpose: `app` asks for one by the kind of its fault."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Final

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from simulator.gate import error_response, json_response, too_many_requests


class CutResponse(Response):
    """Promises a whole body, sends half of it and closes the connection."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the headers and half of the body."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


class StalledResponse(Response):
    """Sends nothing until the client gives up."""

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        """Wait for the client to leave."""
        await _disconnected(receive)


#: Seconds between two bytes of an answer that drips.
_DROP: Final = 0.2


class DripResponse(Response):
    """Sends its body a byte at a time until the client gives up."""

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers, and then drop by drop."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        gone = asyncio.create_task(_disconnected(receive))
        for at in range(len(self.body)):
            drop = bytes(self.body[at : at + 1])
            await send({"type": "http.response.body", "body": drop, "more_body": True})
            if (await asyncio.wait({gone}, timeout=_DROP))[0]:
                return
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class ResetResponse(Response):
    """Resets the connection."""

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        """Make the kernel send RST instead of an answer."""
        connection: Any = scope["simulator.connection"]
        linger = struct.pack("ii", 1, 0)
        connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.abort()


_CONNECTIONS: Final[dict[str, type[Response]]] = {
    "cut": CutResponse,
    "stall": StalledResponse,
    "drip": DripResponse,
    "reset": ResetResponse,
}

#: Refusals in Polygon's JSON: status and text.
_REFUSALS: Final = {
    "status401": (401, "Unknown API Key"),
    "status403": (403, "This API key has been disabled"),
    "status500": (500, "internal server error"),
}


def failed_response(fault: str, body: bytes) -> Response:
    """Return what a request with this fault gets instead of `body`."""
    if fault in _REFUSALS:
        return error_response(*_REFUSALS[fault])
    if fault == "status502":
        page = "<html><head><title>502 Bad Gateway</title></head></html>"
        return Response(page, status_code=502, media_type="text/html")
    if fault in {"rate429", "rate429_silent"}:
        refusal = too_many_requests()
        if fault == "rate429":
            refusal.headers["Retry-After"] = "1"
        return refusal
    if fault == "not_authorized":
        text = "You are not entitled to this data. Please upgrade your plan."
        payload = {"status": "NOT_AUTHORIZED", "request_id": "0" * 32, "message": text}
        return json_response(orjson.dumps(payload))
    if fault == "malformed":
        return json_response(body[: len(body) // 2])
    return _CONNECTIONS[fault](body, media_type="application/json")
