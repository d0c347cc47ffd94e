"""Celery's consumer, which refuses what is no call of a task instead of ending its worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from celery.exceptions import InvalidTaskError
from celery.worker.consumer import Consumer
from kombu.exceptions import KombuError

#: The parts of a signature, a task that another one is to be followed by -> their kinds.
_SIGNATURE: Final = {"task": str, "args": list, "kwargs": dict, "options": dict}


class CheckedConsumer(Consumer):
    """The stock consumer; a call that has not Celery's form is refused and logged."""

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Return what is called with each message of a queue."""
        handle = super().create_task_handler(*args, **kwargs)

        def on_message(message: Any) -> None:
            try:
                body = message.decode()
            except (AttributeError, KombuError, TypeError) as error:
                self.on_decode_error(message, error)
                return
            if not is_call(message.headers, body):
                said = "expected Celery's form of a call of a task"
                self.on_invalid_task(body, message, InvalidTaskError(said))
                return
            handle(message)

        return on_message


def is_call(headers: dict[str, Any], body: Any) -> bool:
    """Return whether a message asks for a task in the form that Celery takes for granted."""
    if not (isinstance(headers.get("id"), str) and isinstance(headers.get("task"), str)):
        return False
    if not all(check(headers[name]) for name, check in _HEADERS.items() if headers.get(name)):
        return False
    if not (isinstance(body, list) and [type(part) for part in body] == [list, dict, dict]):
        return False
    return all(_is_extra(name, value) for name, value in body[2].items() if value is not None)


def _is_extra(name: str, value: Any) -> bool:
    """Return whether a value can be what follows a call."""
    if name == "chord":
        return _is_signature(value)
    if name in {"callbacks", "errbacks", "chain"}:
        return isinstance(value, list) and all(map(_is_signature, value))
    return False


def _is_moment(value: Any) -> bool:
    """Return whether a value is a moment that every zone has."""
    try:
        return 1 < dt.datetime.fromisoformat(value).year < dt.MAXYEAR
    except (TypeError, ValueError):
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_limits(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(one is None or isinstance(one, int | float) for one in value)
    )


#: Headers that Celery uses as they come -> what they may be, if they are there.
_HEADERS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "eta": _is_moment,
    "expires": _is_moment,
    "group": _is_text,
    "group_index": lambda value: isinstance(value, int),
    "shadow": _is_text,
    "stamped_headers": _is_texts,
    "timelimit": _are_limits,
}


def _is_signature(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(part), kind) for part, kind in _SIGNATURE.items()
    )
