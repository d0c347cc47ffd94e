"""The embedded server: started for real, with a password that stands in no argument."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from scanner.errors import ConfigError
from views.cli import embedded
from views.cli.embedded import answers, embedded_server, find_server, free_port
from views.cli.home import Home
from views.cli.processes import Supervisor

#: A command with nothing but its server, which waits to be killed.
SERVE = """
import signal, sys
from pathlib import Path
from scanner.settings import load_settings
from views.cli.home import Home
from views.cli.session import open_stores
home = Home(folder=Path(sys.argv[1]))
(home.folder / "valkey").mkdir()
with open_stores(load_settings(), home) as stores:
    print(stores.cache.info("server")["process_id"], flush=True)
    signal.pause()
"""


@pytest.fixture
def home(tmp_path):
    """Return a home folder with a space in its name."""
    one = Home(folder=tmp_path / "my home")
    one.create()
    return one


def started(home):
    """Start the embedded server; return its supervisor and its URL."""
    command, url = embedded_server(home)
    supervisor = Supervisor(folder=home.folder)
    supervisor.start(command)
    return supervisor, url, command


def test_the_server_answers_with_its_password_only_and_keeps_its_data(home):
    """Also when it is started again, on whatever port."""
    supervisor, url, _ = started(home)
    try:
        supervisor.wait_ready(20.0, lambda _: None)
        with redis.Redis.from_url(url) as client:
            client.set("kept", 1)
        naked = url.rpartition("@")[2]
        assert not answers(f"redis://{naked}")
        with (
            pytest.raises(redis.AuthenticationError),
            redis.Redis.from_url(f"redis://{naked}") as client,
        ):
            client.get("kept")
    finally:
        supervisor.stop()
    assert not answers(url)
    supervisor, url, _ = started(home)
    try:
        supervisor.wait_ready(20.0, lambda _: None)
        with redis.Redis.from_url(url) as client:
            assert client.get("kept") == b"1"
    finally:
        supervisor.stop()


def test_the_password_is_in_private_files_alone(home):
    """Neither in the arguments nor in the environment, which others may read."""
    command, url = embedded_server(home)
    password = url.split(":")[2].partition("@")[0]
    assert password == home.secret(home.folder / "valkey-password")
    assert password not in " ".join(command.argv)
    assert password not in str(command.env)
    for name in ("valkey.conf", "valkey-password"):
        assert stat.S_IMODE((home.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((home.folder / "valkey").stat().st_mode) == 0o700


def test_the_server_listens_on_this_machine_alone(home):
    """With a password all the same."""
    embedded_server(home)
    conf = (home.folder / "valkey.conf").read_text().splitlines()
    assert "bind 127.0.0.1" in conf
    assert "protected-mode yes" in conf


@pytest.mark.parametrize("name", ['a"b', "a\nb"])
def test_a_home_that_the_server_cannot_be_told_is_refused(tmp_path, name):
    """Rather than started with another folder."""
    home = Home(folder=tmp_path / name)
    home.create()
    with pytest.raises(ConfigError, match="SCANNER_HOME"):
        embedded_server(home)


def test_a_server_is_found_and_its_absence_is_explained(monkeypatch):
    """The wheel's, else one on PATH, else what to do."""
    assert Path(find_server()).is_file()

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(embedded, "import_module", missing)
    monkeypatch.setattr(shutil, "which", {"redis-server": "/bin/redis-server"}.get)
    assert find_server() == "/bin/redis-server"
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ConfigError, match="SCANNER_REDIS_URL"):
        find_server()


def test_the_port_that_is_wanted_is_taken_unless_it_is_in_use():
    """Else a free one."""
    wanted = free_port()
    assert free_port(wanted) == wanted
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        assert free_port(busy) not in {0, busy}


def test_a_server_that_outlives_its_killed_command_keeps_others_from_its_data(home):
    """Two servers that write one file of commands would spoil it."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home.folder)], stdout=subprocess.PIPE, text=True
    ) as command:
        server = int(command.stdout.readline())
        os.kill(server, signal.SIGSTOP)  # as one whose disk does not answer
        command.kill()
    try:
        with (
            pytest.raises(ConfigError, match="a server that one left"),
            home.locked(patience=0.5),
        ):
            pass
    finally:
        os.kill(server, signal.SIGCONT)
    with home.locked():  # it ends as its command's end tells it to
        pass
