"""A process's Runtime for tests: real stores in Redis, a scripted provider, no worker."""

from __future__ import annotations

import base64
import json

import redis
from scan_builders import COLUMNS, ScriptedProvider, tools

from scanner.bootstrap import Runtime, bar_cache, stores
from scanner.settings import load_settings


def runtime_on(client: redis.Redis, provider=None, engine=None, /, **options) -> Runtime:
    """Return a runtime whose stores and cache are in `client`; `options` are settings."""
    settings = load_settings(simulator_url="http://127.0.0.1:1", **options)
    state, reports = stores(settings, client)
    cache = bar_cache(settings, client)
    return Runtime(
        settings=settings,
        source="test-1",
        redis=client,
        cache=client,
        tools=tools(provider or ScriptedProvider(), cache, engine, columns=COLUMNS),
        state=state,
        reports=reports,
    )


def messages(client: redis.Redis, queue: str) -> list[tuple[str, list]]:
    """Return (task, arguments) of each message on a queue, in the order of sending."""
    raw = client.lrange(queue, 0, -1)[::-1]
    found = []
    for one in raw:
        message = json.loads(one)
        body = json.loads(base64.b64decode(message["body"]))
        found.append((message["headers"]["task"], body[0]))
    return found
