"""Entries of beat's schedule in Redis: when each ran last, and how to make one due at once."""

from __future__ import annotations

import datetime as dt
import json
import time

import redis

#: How much longer ago than it did an entry has run, as far as beat knows.
_AWAY = dt.timedelta(minutes=9)
_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def last_run(client: redis.Redis, entry: str) -> dt.datetime:
    """Return when an entry of beat's schedule ran last, as beat notes it."""
    last = json.loads(client.hget(f"redbeat:{entry}", "meta"))["last_run_at"]
    return dt.datetime(*(last[name] for name in _PARTS))  # noqa: DTZ001 - its own zone


def set_back(client: redis.Redis, entry: str) -> None:
    """Let an entry have run longer ago, so that it is due."""
    key = f"redbeat:{entry}"
    meta = json.loads(client.hget(key, "meta"))
    earlier = last_run(client, entry) - _AWAY
    meta["last_run_at"] |= {name: getattr(earlier, name) for name in _PARTS}
    client.hset(key, "meta", json.dumps(meta))
    client.zadd("redbeat::schedule", {key: time.time() - _AWAY.total_seconds()})
