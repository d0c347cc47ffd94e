"""The home folder of an installation: passwords, logs, the embedded server's data, its lock.

`stack.json` holds the settings and the processes of the stack that is up; it is 0600 in a folder
of 0700.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from scanner.errors import ConfigError
from scanner.private_file import write_private


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The paths below one home folder."""

    folder: Path

    @property
    def stack_file(self) -> Path:
        """Processes and addresses of the stack that is up."""
        return self.folder / "stack.json"

    @property
    def logs(self) -> Path:
        """Folder of one log a process."""
        return self.folder / "logs"

    @property
    def flower_password_file(self) -> Path:
        """File with Flower's `user:password`."""
        return self.folder / "flower-password"

    def create(self) -> None:
        """Make the folder and its log folder, open to their owner alone."""
        try:
            for folder in (self.folder, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
        except OSError as error:
            raise ConfigError(f"SCANNER_HOME: cannot make {self.folder}: {error}") from error

    def secret(self, path: Path, user: str = "") -> str:
        """Return what stands in `path`, made at its first use: a password, or `user:password`."""
        if not path.is_file():
            token = secrets.token_urlsafe(24)
            write_private(path, (f"{user}:{token}\n" if user else f"{token}\n").encode())
        return path.read_text().strip()

    def write_stack(self, facts: Mapping[str, Any]) -> None:
        """Say which stack is up."""
        text = json.dumps(dict(facts), indent=2) + "\n"
        write_private(self.stack_file, text.encode())

    def remove_stack(self) -> None:
        """Say that no stack is up."""
        self.stack_file.unlink(missing_ok=True)

    def stack(self) -> dict[str, Any] | None:
        """Return what `write_stack` said if its process still lives, else None."""
        try:
            facts = json.loads(self.stack_file.read_text())
            pid, started = int(facts["pid"]), str(facts["started"])
        except (OSError, ValueError, TypeError, KeyError):
            return None
        alive: dict[str, Any] | None = facts if process_start(pid) == started else None
        return alive

    @contextmanager
    def locked(self, patience: float = 20.0) -> Iterator[int]:
        """Hold the folder for this process, as long as a server works on its data.

        Yields the descriptor of the lock: the folder is held until the last process that has it
        ends. ConfigError if another one holds it for longer than `patience` seconds.
        """
        self.create()
        ends = time.monotonic() + patience
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            while not _try_lock(file):
                if time.monotonic() > ends or self.stack() is not None:
                    raise ConfigError(
                        f"another scan command, or a server that one left, works in {self.folder}: "
                        "wait for its end, or start a stack for both with `scan up`"
                    )
                time.sleep(0.05)
            yield descriptor


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def process_start(pid: int) -> str | None:
    """Return what tells this process from a later one of the same id, or None if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _start_without_proc(pid)
    return None if fields[0] == "Z" else fields[19]


def _start_without_proc(pid: int) -> str | None:
    if Path("/proc/self").exists():
        return None
    asked = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return said or None
