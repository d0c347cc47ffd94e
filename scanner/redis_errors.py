"""Errors of Redis as ours: what redis-py raises comes in, StoreUnavailable goes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from scanner.errors import StoreUnavailable


@contextmanager
def redis_errors(doing: str) -> Iterator[None]:
    """Turn what redis-py raises into StoreUnavailable, saying what was being done."""
    try:
        yield
    except redis.RedisError as error:
        raise StoreUnavailable(f"{doing}: Redis answered {error}") from error
