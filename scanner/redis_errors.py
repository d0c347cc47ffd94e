"""Errors of Redis as ours: what redis-py raises comes in, StoreUnavailable goes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import redis

from scanner.errors import StoreUnavailable

#: What a server that is away, starts, is full or has become a replica raises for the time being.
_PASSING: Final = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
)


@contextmanager
def redis_errors(doing: str) -> Iterator[None]:
    """Turn what redis-py raises into StoreUnavailable, saying what was being done."""
    try:
        yield
    except redis.RedisError as error:
        passes = isinstance(error, _PASSING)
        raise StoreUnavailable(f"{doing}: Redis answered {error}", passes=passes) from error
