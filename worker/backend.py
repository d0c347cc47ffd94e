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
    """The stock backend; each connection tries again for about three seconds.

    Its address is the broker's: in a setting of its own the password would be shown by
    `celery inspect conf`, and so by Flower.
    """

    def __init__(self, *args: Any, app: Any, url: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, app=app, url=url or app.conf.broker_url, **kwargs)
        self.connparams["retry"] = Retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), _RETRIES)
        self.connparams["health_check_interval"] = 25
