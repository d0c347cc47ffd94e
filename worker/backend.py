"""Celery's result backend on Redis with redis-py's own retries, which Celery leaves off.

Celery hands redis-py a connection pool, and a pool made that way does not retry: an outage of
two seconds in the middle of a chord would lose a part and hang the chord.
"""

from __future__ import annotations

from typing import Any, Final

from celery.backends.redis import RedisBackend
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

_RETRIES: Final = 6


class RetryingRedisBackend(RedisBackend):
    """The stock backend; each connection tries again for about three seconds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connparams["retry"] = Retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), _RETRIES)
        self.connparams["health_check_interval"] = 25
