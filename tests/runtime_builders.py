"""A process's Runtime for tests: real stores in Redis, a scripted provider, no worker."""

from __future__ import annotations

import base64
import json
import time

import redis
from scan_builders import COLUMNS, FIELDS, ScriptedProvider, tools

from scanner.bootstrap import Runtime, bar_cache, stores
from scanner.errors import StoreUnavailable
from scanner.settings import load_settings
from scheduler.request import request_scan, spec_of
from worker import patience


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


def started(runtime: Runtime, symbols, seconds=300.0, spec=None, /, **fields) -> str:
    """Return the id of a scan that runs over `symbols` and has so many seconds left."""
    scan_id = request_scan(runtime, spec or spec_of(runtime))
    assert runtime.state.start(scan_id, symbols, time.time() + seconds, FIELDS | fields)
    return scan_id


def away_once(monkeypatch, state, name: str) -> list[str]:
    """Let Redis be away when a step of the state is done first; return the times it was."""
    step, failed = getattr(state, name), []

    def once(*arguments, **options):
        if not failed:
            failed.append(name)
            raise StoreUnavailable(f"{name}: no connection")
        return step(*arguments, **options)

    monkeypatch.setattr(patience, "_PAUSE", 0.0)
    monkeypatch.setattr(state, name, once)
    return failed


def messages(client: redis.Redis, queue: str) -> list[tuple[str, list]]:
    """Return (task, arguments) of each message on a queue, in the order of sending."""
    raw = client.lrange(queue, 0, -1)[::-1]
    found = []
    for one in raw:
        message = json.loads(one)
        body = json.loads(base64.b64decode(message["body"]))
        found.append((message["headers"]["task"], body[0]))
    return found
