"""Tasks that do nothing, to time Celery and Redis alone; the benchmark's workers include them."""

from __future__ import annotations

import time

from worker import runtime
from worker.celery import app

#: Names of the tasks; the process that measures has no app of its own to take them from.
NOTHING = "benchmarks.nothing"
OVER = "benchmarks.over"


@app.task(name=NOTHING)
def nothing(_number: int) -> None:
    """Do nothing."""


@app.task(name=OVER)
def over(key: str) -> None:
    """Say under `key` when the chord was over."""
    redis = runtime.current().redis
    redis.rpush(key, time.time())
    redis.expire(key, 60)
