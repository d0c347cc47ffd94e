"""`scan doctor`: everything that a scan needs is tried, and what is wrong is said."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final

import click

from scanner.errors import ConfigError, ScannerError, StoreUnavailable
from scanner.plain import plain

#: Exactly this Celery: what the scanner relies on was measured on it.
_CELERY: Final = "5.7.0"

Check = Callable[[], str]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> int:
    """Check versions, settings, data, Redis and workers, and say what to do."""
    from views.cli.printing import print_json

    results = _results()
    healthy = all(result["ok"] for result in results)
    if as_json:
        print_json({"healthy": healthy, "checks": results})
    else:
        for result in results:
            click.echo(f"{'ok ' if result['ok'] else 'BAD'}  {result['name']}: {result['said']}")
    return 0 if healthy else 1


def _results() -> list[dict[str, Any]]:
    """Return what each check says; workers are asked by Redis, and not without it."""
    found: dict[str, dict[str, Any]] = {}
    for name, check in _checks().items():
        if name == "workers" and not found["redis"]["ok"]:
            found[name] = {"name": name, "ok": False, "said": "cannot be asked without Redis"}
        else:
            found[name] = _result(name, check)
    return list(found.values())


def _result(name: str, check: Check) -> dict[str, Any]:
    from kombu.exceptions import KombuError

    try:
        return {"name": name, "ok": True, "said": plain(check(), lines=True)}
    except (ScannerError, KombuError) as error:
        return {"name": name, "ok": False, "said": plain(error, lines=True)}


def _checks() -> dict[str, Check]:
    return {
        "python": _python,
        "celery": _celery,
        "settings": _settings,
        "data": _data,
        "server": _server,
        "redis": _redis,
        "cache": _cache,
        "workers": _workers,
    }


def _python() -> str:
    return sys.version.split()[0]


def _celery() -> str:
    found = version("celery")
    if found != _CELERY:
        raise ConfigError(f"Celery {found} is installed, expected {_CELERY}: reinstall")
    return found


def _settings() -> str:
    from views.cli.session import read_settings

    settings, home = read_settings()
    return f"profile {settings.profile}, provider {settings.provider}, home {home.folder}"


def _data() -> str:
    from views.cli.preflight import check_settings
    from views.cli.session import read_settings

    settings, _ = read_settings()
    check_settings(settings)
    return str(settings.data or settings.provider)


def _server() -> str:
    from views.cli.embedded import find_server

    if os.environ.get("SCANNER_REDIS_URL"):
        return "given by SCANNER_REDIS_URL"
    return f"embedded, {find_server()}"


def _redis() -> str:
    from scanner.redis_clients import redis_client
    from views.cli.session import check_redis, read_settings

    settings, _ = read_settings()
    if settings.redis_url is None:
        return "not up; `scan up` or `scan run` starts it"
    client = redis_client(settings)
    check_redis(client)
    policy, used = _memory(client)
    if policy not in {"noeviction", "unknown"}:
        raise ConfigError(
            f"maxmemory-policy is {policy}: a queue needs noeviction, or messages may vanish; bars "
            "may have a server of their own that evicts, SCANNER_CACHE_URL"
        )
    if policy == "unknown":
        return "answers, but not to INFO: see that its maxmemory-policy is noeviction"
    return f"answers, {policy}, {used} used"


def _cache() -> str:
    from scanner.redis_clients import cache_client, redis_client
    from views.cli.session import check_redis, read_settings

    settings, _ = read_settings()
    if settings.cache_url is None:
        return "bars lie beside the queue"
    client = cache_client(settings, redis_client(settings))
    check_redis(client, "SCANNER_CACHE_URL")
    policy, used = _memory(client)
    return f"answers, {policy}, {used} used"


def _memory(client: Any) -> tuple[str, str]:
    """Return the eviction policy of a server, and what it uses; it may not be asked for them."""
    from redis.exceptions import NoPermissionError

    from scanner.redis_errors import redis_errors

    try:
        with redis_errors("ask for the server's memory"):
            info: dict[str, Any] = client.info("memory")
    except StoreUnavailable as error:
        if not isinstance(error.__cause__, NoPermissionError):
            raise
        return "unknown", "unknown"
    return info.get("maxmemory_policy", "unknown"), info.get("used_memory_human", "?")


def _workers() -> str:
    from scanner.redis_errors import redis_errors
    from views.cli.session import read_settings

    settings, home = read_settings()
    if settings.redis_url is None:
        return "none is up"
    from views.cli.stack import as_variables
    from worker.celery import app

    os.environ.update(as_variables(settings))
    with redis_errors("ask the workers"):
        nodes = sorted(node for reply in app.control.ping(timeout=2.0) for node in reply)
    if not nodes and home.stack() is not None:
        raise ConfigError("no worker answers: see the logs, or `scan down` and `scan up`")
    return ", ".join(nodes) or "none answers"
