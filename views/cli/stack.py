"""The processes of one machine's stack: settings come in, commands go out, in start order.

1. valkey (unless SCANNER_REDIS_URL names a server)    4. control, which plans and closes scans
2. simulator (for the provider `simulator`)            5. beat and Flower (with `scan up`)
3. the workers `scan1` .. `scanN`
"""

from __future__ import annotations

import base64
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from scanner.settings import PREFIX, Settings
from views.cli.embedded import embedded_server, free_port, listening
from views.cli.home import Home
from views.cli.processes import Command

#: Variables that would change what Celery and Flower do behind the settings' back.
_FOREIGN: Final = ("CELERY_", "FLOWER_", "BROKER_URL", "PYTHONPATH", "PYTHONSTARTUP")
_KEYS: Final = ("POLYGON_API_KEY", "MASSIVE_API_KEY")
#: First port that is tried for the simulator, so that its address stays the same.
_SIMULATOR_PORT: Final = 8801


@dataclass(slots=True, kw_only=True)
class Stack:
    """What a stack consists of."""

    settings: Settings
    home: Home
    #: Also start beat and Flower.
    scheduled: bool
    #: Set by commands(): the settings that the processes get, as variables.
    variables: dict[str, str] = field(default_factory=dict)
    #: Set by commands(): URL of Flower.
    flower_url: str = ""
    #: Whether the server is ours, so that nobody else can be using it.
    embedded: bool = False

    def servers(self) -> list[Command]:
        """Return the commands that the others need, and settle every address."""
        commands = []
        self.variables = as_variables(self.settings)
        if self.settings.redis_url is None:
            command, url = embedded_server(self.home)
            self.variables[PREFIX + "REDIS_URL"] = url
            self.embedded = True
            commands.append(command)
        if self.settings.provider == "simulator" and self.settings.simulator_url is None:
            commands.append(self._simulator())
        return commands

    def workers(self, answering: Mapping[str, bool]) -> Iterator[Command]:
        """Yield the commands of the Celery workers; `answering` names those that are up.

        With Flower they send events from their first task on: Flower asks for them only later.
        """
        env = self._env()
        events = ("--task-events",) if self.scheduled else ()
        threads = str(self.settings.threads)
        for number in range(1, self.settings.workers + 1):
            queue = ("--concurrency", threads, "--queues", "scan", *events)
            yield _worker(f"scan{number}", queue, env, answering)
        control = ("--concurrency", "2", "--queues", "control", "--include", "scheduler.tasks")
        yield _worker("control", (*control, *events), env, answering)

    def watchers(self) -> Iterator[Command]:
        """Yield what is started when all workers answer: Flower looks at them as it starts."""
        if self.scheduled:
            yield self._flower()
            yield self.beat()

    def beat(self) -> Command:
        """Return the command of beat."""
        return Command(name="beat", argv=(*_celery(), "beat"), env=self._keyless(), ready=_always)

    def _env(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith((*_FOREIGN, PREFIX))
        }
        return {
            **kept,
            **self.variables,
            "CELERY_CUSTOM_WORKER_POOL": "worker.pool:FailFastThreadPool",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }

    def _keyless(self) -> dict[str, str]:
        """Return the environment of what never asks the provider."""
        return {name: value for name, value in self._env().items() if name not in _KEYS}

    def _simulator(self) -> Command:
        here = listening(_SIMULATOR_PORT)
        url = f"http://127.0.0.1:{here.getsockname()[1]}"
        self.variables[PREFIX + "SIMULATOR_URL"] = url
        settings = self.settings
        options = ["--fd", str(here.fileno()), "--latency", str(settings.simulator_latency)]
        if settings.data is None:
            options += ["--symbols", str(settings.simulator_symbols)]
            options += ["--seed", str(settings.simulator_seed)]
        else:
            options += ["--replay", str(Path(settings.data).absolute())]
        return Command(
            name="simulator",
            argv=(sys.executable, "-P", "-m", "simulator", *options),
            env=self._keyless(),
            ready=lambda: _http_answers(url + "/v1/marketstatus/now"),
            serves=True,
            listens=here,
        )

    def _flower(self) -> Command:
        port = free_port(self.settings.flower_port)
        self.flower_url = f"http://127.0.0.1:{port}"
        login = self.home.secret(self.home.flower_password_file, user="scan")
        options = (
            "--address=127.0.0.1",
            f"--port={port}",
            "--read_only",
            "--max_tasks=20000",
            "--max_workers=50",
            "--purge_offline_workers=3600",
            "--inspect_timeout=3000",
        )
        asked = urllib.request.Request(self.flower_url + "/workers")  # noqa: S310 - our own address
        asked.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
        return Command(
            name="flower",
            argv=(*_celery(), "flower", *options),
            env=self._keyless() | {"FLOWER_BASIC_AUTH": login},
            # Another stack's Flower may have the port by now: it does not know this login.
            ready=lambda: _http_answers(asked),
        )


def as_variables(settings: Settings) -> dict[str, str]:
    """Return the settings as SCANNER_* variables; the provider's key is not among them."""
    variables = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is not None and name != "polygon_key":
            variables[PREFIX + name.upper()] = _text(value)
    return variables


def _text(value: Any) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return ",".join(f"{key}={share}" for key, share in value.items())
        case Path():
            return str(value.expanduser().absolute())
        case _:
            return str(value)


def _celery() -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "celery", "--app", "worker")


def _worker(
    name: str, options: tuple[str, ...], env: Mapping[str, str], answering: Mapping[str, bool]
) -> Command:
    always = ("--pool", "custom", "--without-mingle", "--without-gossip", "--loglevel", "INFO")
    return Command(
        name=name,
        argv=(*_celery(), "worker", "--hostname", f"{name}@%h", *always, *options),
        env=env,
        ready=lambda: answering.get(name, False),
    )


def _always() -> bool:
    return True


def _http_answers(url: str | urllib.request.Request) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
