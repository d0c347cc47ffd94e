"""kombu's transport of Redis, which drops what is no message instead of ending its worker.

Whoever can write to a queue can put anything there. kombu takes for granted that it is an envelope
of its own: the error that anything else leads to would end the worker.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import structlog
from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import ConnectionError as Disconnected

log = structlog.get_logger(__name__)


class Channel(redis.Channel):
    """The stock channel; bytes that are no JSON are dropped, and one that is closed says so."""

    def _connparams(self, *args: Any, **options: Any) -> Any:
        # An attribute that is None would end the worker that closes a connection which is lost.
        if self.connection.client is None:
            raise Disconnected("expected an open connection of the queue, got a closed one")
        return super()._connparams(*args, **options)  # type: ignore[no-untyped-call]

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            # BRPOP has taken them off the queue, and nothing has been noted of them yet.
            log.warning("a message was refused: no JSON", cause=repr(error)[:200])
            return True


class Transport(redis.Transport):
    """The stock transport; JSON that is no envelope is dropped."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        if not is_envelope(message):
            log.warning("a message was refused: no envelope", queue=queue)
            return
        super()._deliver(message, queue)  # type: ignore[no-untyped-call]


def use_checked_transport() -> None:
    """Let `redis://` and `rediss://` mean this transport in this process."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"


def is_envelope(message: Any) -> bool:
    """Return whether a value has the parts that kombu takes for granted."""
    try:
        properties, body = message["properties"], message["body"]
        info = properties["delivery_info"]
        texts = (body, properties["delivery_tag"], info["exchange"], info["routing_key"])
        if properties.get("body_encoding") == "base64":
            base64.b64decode(body)
        return isinstance(message["headers"], dict) and all(isinstance(t, str) for t in texts)
    except (AttributeError, LookupError, TypeError, ValueError):
        return False
