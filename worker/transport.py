"""kombu's transport of Redis, which drops what is no message instead of ending its worker.

Whoever can write to a queue can put anything there. kombu takes for granted that it is an envelope
of its own: the error that anything else leads to would end the worker.
"""

from __future__ import annotations

import base64
from typing import Any

import structlog
from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils import json as kombu_json
from redis.exceptions import ConnectionError as Disconnected

log = structlog.get_logger(__name__)


class NoMessage(ValueError):
    """What lies on a queue, or was said to all workers, cannot be read."""


def loads(data: Any, **options: Any) -> Any:
    """Read what kombu has written; NoMessage, whatever its decoder says of anything else."""
    try:
        return kombu_json.loads(data, **options)  # type: ignore[no-untyped-call]
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise NoMessage(repr(error)[:200]) from error
    except RecursionError as error:
        raise NoMessage("it is nested too deeply") from error


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
        except NoMessage as error:
            # BRPOP has taken them off the queue, and nothing has been noted of them yet.
            log.warning("a message was refused: no JSON", cause=str(error))
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
    redis.loads = loads  # type: ignore[attr-defined, assignment]
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"


def is_envelope(message: Any) -> bool:
    """Return whether a value has the parts that kombu takes for granted."""
    try:
        properties, body = message["properties"], message["body"]
        info = properties["delivery_info"]
        texts = [body, properties["delivery_tag"], info["exchange"], info["routing_key"]]
        texts += [message.get(name) or "" for name in ("content-type", "content-encoding")]
        for text in texts:
            text.encode()
        encoding = properties.get("body_encoding")
        if encoding == "base64":
            base64.b64decode(body)
        known = encoding in {None, "utf-8", "base64"}
        return isinstance(message["headers"], dict) and known
    except (AttributeError, LookupError, TypeError, ValueError):
        return False
