"""What a command works with: the stack that is up, one of its own, or the stores alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

from scanner import bootstrap
from scanner.errors import ConfigError, StoreUnavailable
from scanner.redis_clients import cache_client, redis_client
from scanner.redis_errors import redis_errors
from scanner.redis_tls import tls_failure
from scanner.results.redis_state import RedisScanState
from scanner.results.redis_store import RedisReportStore
from scanner.settings import PREFIX, Settings, load_settings
from views.cli.embedded import embedded_server
from views.cli.endings import undisturbed
from views.cli.home import Home, process_start
from views.cli.processes import Supervisor
from views.cli.stack import Stack, as_variables

if TYPE_CHECKING:
    from celery import Celery

#: Seconds that servers and workers have to answer after their start.
START_SECONDS: Final = 90.0
#: Seconds in which a Redis that is well answers.
_ANSWER_SECONDS: Final = 5.0

#: Variables in which a scan may differ from the stack that does it.
_OF_A_SCAN: Final = frozenset(
    PREFIX + name
    for name in (
        "UNIVERSE",
        "LOOKBACK_DAYS",
        "BATCH_SIZE",
        "DEADLINE",
        "SCHEDULE",
        "HOME",
        "SCREENS",
        "FETCH",
    )
)

Tick = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where scans and reports are kept, for commands that only read."""

    settings: Settings
    cache: redis.Redis
    state: RedisScanState
    reports: RedisReportStore


def read_settings(**options: Any) -> tuple[Settings, Home]:
    """Return the settings of this command and its home folder.

    Variables of the environment win over those of the stack that is up.
    """
    folder = Path(os.environ.get("SCANNER_HOME") or "~/.market-scanner").expanduser()
    home = Home(folder=folder)
    facts = home.stack() or {}
    return load_settings(facts.get("variables"), **options), home


def check_redis(client: redis.Redis, variable: str = "SCANNER_REDIS_URL") -> None:
    """Refuse to go on without Redis, by StoreUnavailable with what to do."""
    try:
        with _impatient(client) as probe:
            probe.ping()
    except redis.AuthenticationError as error:
        raise StoreUnavailable(f"Redis refuses the password: check {variable}") from error
    except redis.RedisError as error:
        advice = tls_failure(error) or (
            f"start it, or the stack with `scan up`, and check {variable} "
            "(rediss:// where the server speaks TLS, with SCANNER_REDIS_CERT where it asks for a "
            "certificate; else redis://)"
        )
        raise StoreUnavailable(f"Redis does not answer ({error}): {advice}") from error


def _impatient(client: redis.Redis) -> redis.Redis:
    """Return a client of the same server that waits once for an answer.

    A server without TLS says nothing to a client that speaks TLS.
    """
    backoff = ExponentialWithJitterBackoff(base=0.05, cap=1.0)
    options = client.get_connection_kwargs() | {
        "socket_timeout": _ANSWER_SECONDS,
        "retry": Retry(backoff, 6, (redis.ConnectionError,)),
        "retry_on_error": [],
    }
    of_class = client.connection_pool.connection_class
    pool = redis.ConnectionPool(connection_class=of_class, **options)
    return redis.Redis.from_pool(pool)


def check_both(settings: Settings) -> redis.Redis:
    """Return the client of Redis; StoreUnavailable if it or the cache does not answer."""
    client = redis_client(settings)
    check_redis(client)
    if settings.cache_url is not None:
        check_redis(cache_client(settings, client), "SCANNER_CACHE_URL")
    return client


@contextmanager
def open_stores(settings: Settings, home: Home) -> Iterator[Stores]:
    """Yield the stores: of the Redis that is up, else of the embedded server's data."""
    if settings.redis_url is not None:
        yield _stores(settings)
        return
    if not (home.folder / "valkey").is_dir():
        raise ConfigError("there is no scan yet: start one with `scan run`")
    with home.locked() as lock:
        command, url = embedded_server(home)
        supervisor = Supervisor(folder=home.folder, lock=lock)
        try:
            supervisor.start(command)
            supervisor.wait_ready(START_SECONDS, lambda _: None)
            yield _stores(load_settings(redis_url=url, home=settings.home))
        finally:
            supervisor.stop()


def _stores(settings: Settings) -> Stores:
    client = check_both(settings)
    state, reports = bootstrap.stores(settings, client)
    cache = cache_client(settings, client)
    return Stores(settings=settings, cache=cache, state=state, reports=reports)


@contextmanager
def own_stack(
    settings: Settings, home: Home, *, scheduled: bool, tick: Tick
) -> Iterator[Supervisor]:
    """Start a stack, yield it when all answers, and stop it in any case."""
    stack = Stack(settings=settings, home=home, scheduled=scheduled)
    with home.locked() as lock:
        supervisor = Supervisor(folder=home.folder, lock=lock)
        try:
            _start(stack, supervisor, tick)
            home.write_stack(_facts(stack, supervisor))
            yield supervisor
        finally:
            with undisturbed():
                home.remove_stack()
                supervisor.stop()


def _start(stack: Stack, supervisor: Supervisor, tick: Tick) -> None:
    for command in stack.servers():
        supervisor.start(command)
    supervisor.wait_ready(START_SECONDS, tick)
    os.environ.update(stack.variables)
    check_both(load_settings())
    if stack.embedded:
        _clear_leftovers()
    from worker.celery import app

    answering: dict[str, bool] = {}
    for command in stack.workers(answering):
        supervisor.start(command)
    tick("workers")
    await_workers(app, answering, supervisor)
    supervisor.wait_ready(START_SECONDS, tick)
    for command in stack.watchers():
        supervisor.start(command)
        supervisor.wait_ready(START_SECONDS, tick)


def check_against_stack(settings: Settings, facts: dict[str, Any]) -> None:
    """Refuse settings that the stack that is up cannot follow, by ConfigError.

    A scan brings its own universe, lookback and batch size; all else is the workers'.
    """
    theirs = facts.get("variables", {})
    for variable, value in as_variables(settings).items():
        if variable not in _OF_A_SCAN and theirs.get(variable, value) != value:
            differs = f"{variable}={theirs[variable]}, not {value}"
            if variable in {PREFIX + "REDIS_URL", PREFIX + "CACHE_URL"}:  # with passwords
                differs = f"another {variable}"
            raise ConfigError(
                f"the stack that is up has {differs}: "
                "stop it with `scan down`, or use another SCANNER_HOME"
            )


def _facts(stack: Stack, supervisor: Supervisor) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "started": process_start(os.getpid()),
        "scheduled": stack.scheduled,
        "processes": supervisor.pids(),
        "flower": stack.flower_url,
        "variables": stack.variables,
    }


def _clear_leftovers() -> None:
    """Drop what a stack that was killed left in the embedded server: nobody works on it."""
    from worker.celery import app

    settings = load_settings()
    client = redis_client(settings)
    client.delete("scan", "control", "unacked", "unacked_index", "redbeat::lock")
    state, _ = bootstrap.stores(settings, client)
    for scan_id in state.open_scans():
        state.cancel(scan_id, "the stack was stopped before the scan was done")
    app.close()


def await_workers(app: Celery, answering: dict[str, bool], supervisor: Supervisor) -> None:
    """Ask the workers until each has answered a ping, and note their names in `answering`.

    ConfigError if one of the supervisor's processes ends; after START_SECONDS it gives up.
    """
    expected = {name for name in supervisor.pids() if name == "control" or name.startswith("scan")}
    ends = time.monotonic() + START_SECONDS
    while not expected <= answering.keys() and time.monotonic() < ends:
        supervisor.check_alive()
        # By a connection of its own: one that has asked before may still read the last queue of
        # answers, and misses one of six.
        with redis_errors("ask the workers"), app.connection_for_write() as connection:
            replies = app.control.ping(timeout=0.5, limit=len(expected), connection=connection)
        names = {node.partition("@")[0] for reply in replies for node in reply}
        answering.update(dict.fromkeys(names, True))
