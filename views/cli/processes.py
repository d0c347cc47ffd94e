"""Processes that live and die with this one: started, watched, started again, and stopped."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from scanner.errors import ConfigError
from scanner.plain import plain

log = structlog.get_logger(__name__)

#: Linux: a child gets this signal when its parent dies.
_PR_SET_PDEATHSIG: Final = 1
#: Seconds that a process has to end by itself before it is killed.
_PATIENCE: Final = 15.0
#: Seconds before a process is started again; they double with each time in a row that it has lived
#: for less than _SETTLED: what works for a while is not kept away for long.
_FIRST_DELAY: Final = 0.5
_LONGEST_DELAY: Final = 30.0
_SETTLED: Final = 10.0
#: Seconds that a process has to live so that its next end is the first of a new row.
_STEADY: Final = 60.0
#: Ends in a row that are a crash loop.
_LOOP: Final = 4
#: Bytes of a log that are looked at.
_TAIL_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process of a stack."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    #: Says whether the process answers; called until it does.
    ready: Callable[[], bool]
    #: What it gets when its supervisor is killed: what it leaves lies in the server, which has to
    #: end in order itself.
    farewell: signal.Signals = signal.SIGKILL
    #: Whether the others need it as long as they run.
    serves: bool = False
    #: What it accepts requests on. This process holds it: no other program can take the address,
    #: and what asks while it is started again waits for it.
    listens: socket.socket | None = None


@dataclass(slots=True)
class _Child:
    command: Command
    process: subprocess.Popen[bytes]
    started_at: float
    #: Ends in a row, and of them those soon after the start.
    ends: int = 0
    early: int = 0
    retry_at: float = 0.0


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """The running processes of a stack, in the order of their start."""

    #: Working directory of the processes, where their logs lie in `logs/`.
    folder: Path
    #: Descriptor of the folder's lock. Servers have it too: one that outlives this process, as
    #: where its disk does not answer, keeps the next from its data.
    lock: int | None = None
    children: list[_Child] = field(default_factory=list)

    def start(self, command: Command) -> None:
        """Start a process; ready() is not waited for."""
        self.children.append(_Child(command, self._spawn(command), time.monotonic()))

    def wait_ready(self, seconds: float, tick: Callable[[str], None]) -> None:
        """Wait until all answer; ConfigError names the one that does not and its log."""
        ends = time.monotonic() + seconds
        for child in self.children:
            tick(child.command.name)
            while not child.command.ready():
                self.check_alive()
                if time.monotonic() > ends:
                    raise ConfigError(self._failure(child, f"did not answer in {seconds:.0f} s"))
                time.sleep(0.05)
        self.check_alive()

    def check_alive(self) -> None:
        """Raise ConfigError for the first process that has ended, with the end of its log."""
        for child in self.children:
            if (code := child.process.poll()) is not None:
                raise ConfigError(self._failure(child, f"ended with {code}"))

    def restart_dead(self) -> list[str]:
        """Start again what has ended, each with a growing delay; return their names."""
        restarted = []
        for child in self.children:
            if child.process.poll() is None:
                continue
            now = time.monotonic()
            if not child.retry_at:
                lived = now - child.started_at
                child.ends = 1 if lived >= _STEADY else child.ends + 1
                child.early = 0 if lived >= _SETTLED else child.early + 1
                delay = _FIRST_DELAY * 2.0 ** max(0, child.early - 1)
                child.retry_at = now + min(_LONGEST_DELAY, delay)
            elif now >= child.retry_at:
                try:
                    child.process, child.started_at = self._spawn(child.command), now
                except (ConfigError, OSError, MemoryError) as error:
                    # No memory, process id or room is left for now: the others run on.
                    log.warning("not started again", process=child.command.name, cause=str(error))
                    child.retry_at = now + _FIRST_DELAY
                    continue
                child.retry_at = 0.0
                restarted.append(child.command.name)
        return restarted

    def crash_loops(self) -> dict[str, int]:
        """Return the processes that end again and again, with how often they did in a row."""
        return {
            child.command.name: child.ends
            for child in self.children
            if child.ends >= _LOOP and time.monotonic() - child.started_at < _STEADY
        }

    def story_of(self, name: str) -> str:
        """Return that a process ends again and again, with the end of its log."""
        child = next(child for child in self.children if child.command.name == name)
        return self._failure(child, f"has ended {child.ends} times in a row")

    def stop(self) -> None:
        """End all; those that serve the others when they are gone, the first one last."""
        servers = [child for child in self.children if child.command.serves]
        others = [child for child in self.children if not child.command.serves]
        for group in (others, *([server] for server in reversed(servers))):
            for child in group:
                with contextlib.suppress(ProcessLookupError):
                    child.process.terminate()
            ends = time.monotonic() + _PATIENCE
            for child in group:
                try:
                    child.process.wait(max(0.0, ends - time.monotonic()))
                except subprocess.TimeoutExpired:
                    child.process.kill()
                    child.process.wait()
        for child in self.children:
            if child.command.listens is not None:
                child.command.listens.close()
        self.children.clear()

    def pids(self) -> dict[str, int]:
        """Return the process id of each process by its name."""
        return {child.command.name: child.process.pid for child in self.children}

    def _spawn(self, command: Command) -> subprocess.Popen[bytes]:
        farewell = functools.partial(_die_with_parent, command.farewell)
        held = [self.lock] if command.serves and self.lock is not None else []
        if command.listens is not None:
            held.append(command.listens.fileno())
        _libc()  # loaded before the fork: a child of a process with threads must not load it
        path = self.folder / "logs" / f"{command.name}.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(
                command.argv,
                env=dict(command.env),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
                pass_fds=held,
                umask=0o077,
                preexec_fn=farewell,  # noqa: PLW1509 - one call of libc
            )
        except OSError as error:
            raise ConfigError(f"cannot start {command.name}: {error}") from error
        finally:
            os.close(descriptor)

    def _failure(self, child: _Child, what: str) -> str:
        path = self.folder / "logs" / f"{child.command.name}.log"
        tail = _end_of(path)
        return "\n".join([f"{child.command.name} {what}; the end of {path}:", *tail])


def _end_of(path: Path) -> list[str]:
    """Return the last five lines of a log, whatever its size."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()[-5:]
            return [plain(line) for line in lines]
    except OSError as error:
        return [f"cannot be read: {error}"]


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _die_with_parent(farewell: signal.Signals) -> None:
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_PDEATHSIG, farewell)
