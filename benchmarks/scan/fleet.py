"""Fleets: settings come in, the processes of a stack run with the benchmark's own tasks in them.

The commands are those of `scan up`, without beat and Flower. Each fleet has a folder, a Valkey
and a Celery app of its own, so that several can be up and take turns.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from celery import Celery

from benchmarks.environment import ROOT
from scanner import bootstrap
from scanner.bootstrap import Runtime
from scanner.settings import PREFIX, Settings, load_settings
from views.cli.home import Home
from views.cli.processes import Command, Supervisor
from views.cli.session import START_SECONDS, await_workers
from views.cli.stack import Stack
from worker.config import celery_config
from worker.telemetry import configure_logging

_EMPTY: Final = "benchmarks.scan.empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One stack that is up."""

    settings: Settings
    #: What a process of the stack works with, for this process.
    runtime: Runtime
    app: Celery
    #: Process -> its id.
    pids: dict[str, int]

    @property
    def url(self) -> str:
        """Address of its simulator."""
        return str(self.settings.simulator_url)


def alone() -> None:
    """Forget what the caller's environment says of settings; keep logs off the tables."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    configure_logging(logging.WARNING)


@contextmanager
def servers(folder: Path, **options: Any) -> Iterator[tuple[Stack, Supervisor]]:
    """Yield a stack of which only Valkey and the simulator are up, and stop it in any case.

    With the option `simulator_url` it has no simulator of its own.
    """
    home = Home(folder=folder)
    home.create()
    asked = load_settings(home=folder, **{"schedule": "off", **options})
    stack = Stack(settings=asked, home=home, scheduled=False)
    supervisor = Supervisor(folder=folder)
    try:
        for command in stack.servers():
            supervisor.start(command)
            supervisor.wait_ready(START_SECONDS, _ignore)
        yield stack, supervisor
    finally:
        supervisor.stop()


@contextmanager
def fleet(folder: Path, **options: Any) -> Iterator[Fleet]:
    """Yield a stack with these settings whose workers are up too, and stop it in any case."""
    with servers(folder, **options) as (stack, supervisor):
        settings = load_settings(stack.variables)
        app = Celery("benchmarks", set_as_current=False)
        app.conf.update(celery_config(settings))
        answering: dict[str, bool] = {}
        for command in stack.workers(answering):
            supervisor.start(_with_empty_tasks(command))
        await_workers(app, answering, supervisor)
        supervisor.wait_ready(START_SECONDS, _ignore)
        runtime = bootstrap.runtime(settings)
        try:
            yield Fleet(settings=settings, runtime=runtime, app=app, pids=supervisor.pids())
        finally:
            app.close()
            runtime.redis.close()


def _with_empty_tasks(command: Command) -> Command:
    """Return the command of a worker that knows the benchmark's tasks too."""
    own = "scheduler.tasks" if command.name == "control" else "worker.tasks"
    return dataclasses.replace(
        command,
        # The last of several --include counts.
        argv=(*command.argv, "--include", f"{own},{_EMPTY}"),
        env={**command.env, "PYTHONPATH": str(ROOT)},
    )


def _ignore(_name: str) -> None:
    """Take no notice of a step."""


def waited(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first true value of `condition`, looked at every 10 ms."""
    ends = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > ends:
            raise TimeoutError(f"{what}: not in {seconds:.0f} s")
        time.sleep(0.01)
    return value
