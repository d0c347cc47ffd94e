"""Budgets for tests: an embedded server's budget state made older, and conditions waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from scanner import keys

#: The provider whose budget tests look at.
PROVIDER = "tested"
BUDGET, COOLDOWN, BREAKER = (
    keys.budget(PROVIDER),
    keys.cooldown(PROVIDER),
    keys.breaker(PROVIDER),
)


def let_time_pass(client: redis.Redis, seconds: float) -> None:
    """Move every moment that the budget keeps back, as if `seconds` had passed."""
    micros = round(seconds * 1e6)
    for name in client.hkeys(BUDGET):
        client.hincrby(BUDGET, name, -micros)
    if client.hexists(BREAKER, "until"):
        client.hincrby(BREAKER, "until", -micros)
    if client.hexists(COOLDOWN, "until"):
        client.hincrby(COOLDOWN, "until", -micros)


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return the first true value of `condition`."""
    pause = threading.Event()
    ends = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends, "waited in vain"
        pause.wait(0.02)
    return found
