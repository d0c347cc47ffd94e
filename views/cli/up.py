"""`scan up` and `scan down`: the stack of one machine, started, watched and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import click

from scanner.errors import ConfigError
from views.cli.endings import unwound_by_signals

#: Seconds that a stack has to stop before what is left of it is killed.
_STOP_SECONDS: Final = 45.0


@click.command()
@click.option("--foreground", is_flag=True, help="Stay here until Ctrl-C, for systemd and such.")
def up(foreground: bool) -> None:
    """Start the stack: server, simulator if asked for, workers, control, beat and Flower."""
    from views.cli.preflight import asked_screens, check_settings
    from views.cli.session import read_settings

    settings, home = read_settings()
    facts = home.stack()
    if facts is not None:
        raise ConfigError(f"a stack is up already (process {facts['pid']}): see `scan status`")
    check_settings(settings)
    asked_screens(settings, None)
    home.create()
    if foreground:
        _serve(settings, home)
        return
    log = home.logs / "up.log"
    with log.open("wb") as file:
        log.chmod(0o600)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "views.cli.main", "up", "--foreground"],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        _await_stack(process, home)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    _say_where(home)


def _await_stack(process: subprocess.Popen[bytes], home: Any) -> None:
    from rich.console import Console

    with Console(stderr=True).status("starting the stack"):
        while home.stack() is None:
            if process.poll() is not None:
                text = (home.logs / "up.log").read_text(errors="replace").strip()
                raise ConfigError(text.removeprefix("scan: ") or "the stack did not start")
            time.sleep(0.1)


def _say_where(home: Any) -> None:
    facts = home.stack() or {}
    click.echo(f"up: {', '.join(facts.get('processes', {}))}")
    if facts.get("flower"):
        click.echo(f"Flower: {facts['flower']}, login in {home.flower_password_file}")
    click.echo(f"logs: {home.logs}")
    click.echo("next: scan enqueue --wait, scan status, scan down")


def _serve(settings: Any, home: Any) -> None:
    """Run the stack in this process until SIGTERM or SIGINT."""
    from views.cli.session import own_stack

    stack = own_stack(settings, home, scheduled=True, tick=_ignore)
    with unwound_by_signals(SystemExit(0)), stack as supervisor:
        click.echo(f"up: {', '.join(supervisor.pids())}")
        told: set[str] = set()
        while True:
            time.sleep(0.25)
            for name in supervisor.restart_dead():
                click.echo(f"{name} had ended and was started again", err=True)
                home.write_stack(home.stack() | {"processes": supervisor.pids()})
            told = _tell_of_loops(supervisor, told, home)


def _tell_of_loops(supervisor: Any, told: set[str], home: Any) -> set[str]:
    """Say once of each process that it ends again and again; return their names."""
    loops = set(supervisor.crash_loops())
    if loops != told:
        stories = {name: supervisor.story_of(name) for name in sorted(loops)}
        for name in sorted(loops - told):
            click.echo(stories[name], err=True)
        home.write_stack(home.stack() | {"crash_loops": stories})
    return loops


def _ignore(_name: str) -> None:
    """Take no notice of a step."""


@click.command()
def down() -> None:
    """Stop the stack that is up, and wait until nothing of it runs."""
    from views.cli.home import process_start
    from views.cli.session import read_settings

    _, home = read_settings()
    facts = home.stack()
    if facts is None:
        click.echo("no stack is up")
        return
    ids = [int(facts["pid"]), *map(int, facts["processes"].values())]
    starts = {pid: process_start(pid) for pid in ids}
    os.kill(ids[0], signal.SIGTERM)

    def alive() -> list[int]:
        return [pid for pid, start in starts.items() if start and process_start(pid) == start]

    if not _wait_until(lambda: not alive(), _STOP_SECONDS):
        for pid in alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        home.remove_stack()
    click.echo("down")


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True
