"""Addresses, bodies and broken connections: what `polygon_http` has from requests and urllib3."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import urlsplit

import requests
from urllib3 import exceptions as transport

#: Most bytes of a body that are taken at once.
_PART: Final = 1 << 16

_CAUSES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (transport.NameResolutionError, "the host name is unknown"),
    (transport.NewConnectionError, "the connection was refused"),
    (transport.ConnectTimeoutError, "no connection in time"),
    (transport.ReadTimeoutError, "no answer in time"),
    (transport.SSLError, "the certificate is not accepted"),
    (transport.ProxyError, "the proxy does not answer"),
    (transport.ProtocolError, "the connection broke"),
)


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an HTTP address; None for all others."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.username is not None or parts.password is not None:
        return None
    return parts.scheme, parts.hostname, port


def body_of(response: requests.Response, seconds: float) -> bytes:
    """Return the whole body; TimeoutError of urllib3 if it takes longer, even if bytes come."""
    ends = time.monotonic() + seconds
    parts = []
    while part := response.raw.read1(_PART, decode_content=True):
        parts.append(part)
        if time.monotonic() > ends:
            raise transport.TimeoutError("the body is too slow")
    return b"".join(parts)


def cause_of(error: requests.RequestException) -> str:
    """Return in words why there is no answer."""
    cause: object = error.args[0] if error.args else error
    reason = getattr(cause, "reason", cause)
    for kind, text in _CAUSES:
        if isinstance(reason, kind):
            return text
    return f"{type(reason).__name__} came"
