"""Broken connections: what requests and urllib3 raise comes in, words go out."""

from __future__ import annotations

from typing import Final

import requests
from urllib3 import exceptions as transport

_CAUSES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (transport.NameResolutionError, "the host name is unknown"),
    (transport.NewConnectionError, "the connection was refused"),
    (transport.ConnectTimeoutError, "no connection in time"),
    (transport.ReadTimeoutError, "no answer in time"),
    (transport.SSLError, "the certificate is not accepted"),
    (transport.ProxyError, "the proxy does not answer"),
    (transport.ProtocolError, "the connection broke"),
)


def cause_of(error: requests.RequestException) -> str:
    """Return in words why there is no answer."""
    cause: object = error.args[0] if error.args else error
    reason = getattr(cause, "reason", cause)
    for kind, text in _CAUSES:
        if isinstance(reason, kind):
            return text
    return f"{type(reason).__name__} came"
