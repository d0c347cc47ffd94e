"""Connections to Redis: Settings come in, clients that try again for a few seconds go out.

Two roles: the queue, the scans' state and reports must never lose a key; bars may be evicted. One
server does both, unless SCANNER_CACHE_URL names another for bars.
"""

from __future__ import annotations

from typing import Final

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from scanner.errors import ConfigError
from scanner.redis_tls import tls_options
from scanner.settings import Settings

#: Seconds without an answer after which a call fails.
_TIMEOUT: Final = 15.0


def redis_url(settings: Settings) -> str:
    """Return the address of Redis; ConfigError if there is none."""
    if settings.redis_url is None:
        raise ConfigError("no Redis: start the stack with `scan up`, or set SCANNER_REDIS_URL")
    return settings.redis_url.get_secret_value()


def redis_client(settings: Settings) -> redis.Redis:
    """Return the client of queue, state and reports, shared by all threads."""
    return _client(settings, redis_url(settings), "SCANNER_REDIS_URL")


def cache_client(settings: Settings, client: redis.Redis) -> redis.Redis:
    """Return the client of the bars: `client` unless the settings name another server."""
    if settings.cache_url is None:
        return client
    return _client(settings, settings.cache_url.get_secret_value(), "SCANNER_CACHE_URL")


def _client(settings: Settings, url: str, name: str) -> redis.Redis:
    try:
        client: redis.Redis = redis.Redis.from_url(
            url,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=5.0,
            socket_keepalive=True,
            health_check_interval=25,
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), 6),
            retry_on_error=[redis.ConnectionError, redis.TimeoutError],
            **tls_options(settings, url),
        )
    except ValueError:  # its text may have a part of the password
        raise ConfigError(f"{name}: expected redis[s]://:password@host:6379/0") from None
    return client
