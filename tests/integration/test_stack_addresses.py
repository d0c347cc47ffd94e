"""The addresses of a stack are its own: no other program can take them or answer for it."""

from __future__ import annotations

import base64
import os
import signal
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from scanner.settings import load_settings
from views.cli import stack as stacks
from views.cli.embedded import listening
from views.cli.home import Home
from views.cli.processes import Supervisor
from views.cli.stack import Stack


def a_stack(folder, name, **options):
    """Return a stack of a folder of its own, whose server is somebody else's."""
    home = Home(folder=folder / name)
    home.create()
    # Never asked: only the simulator and Flower are looked at.
    settings = load_settings(home=home.folder, redis_url="redis://127.0.0.1:1/0", **options)
    return Stack(settings=settings, home=home, scheduled=True)


@pytest.fixture
def simulators(tmp_path):
    """Return the simulators of two stacks that start at the same time, and their addresses."""
    with ExitStack() as ended:
        found = []
        for size in (20, 30):
            one = a_stack(tmp_path, str(size), simulator_symbols=size)
            supervisor = Supervisor(folder=one.home.folder)
            ended.callback(supervisor.stop)
            (command,) = one.servers()
            found.append((supervisor, command, one.variables["SCANNER_SIMULATOR_URL"]))
        for supervisor, command, _ in found:
            supervisor.start(command)
        for supervisor, _, _ in found:
            supervisor.wait_ready(60.0, lambda _: None)
        yield found


def market(url):
    """Return how many symbols a simulator lists."""
    return len(requests.get(f"{url}/v3/reference/tickers?limit=1000", timeout=20).json()["results"])


def test_two_stacks_that_start_at_once_have_each_its_own_market(simulators):
    """Bars of another market are wrong bars that look right."""
    assert [market(url) for _, _, url in simulators] == [20, 30]


def test_the_address_of_a_dead_simulator_is_kept_until_it_is_back(simulators):
    """No other program can have it meanwhile, and what asks meanwhile is answered."""
    supervisor, command, url = simulators[0]
    port = command.listens.getsockname()[1]
    os.kill(supervisor.pids()["simulator"], signal.SIGKILL)
    supervisor.children[0].process.wait()
    with listening(port) as other:
        assert other.getsockname()[1] != port
    answers = []
    asker = threading.Thread(target=lambda: answers.append(market(url)))
    asker.start()
    ends = time.monotonic() + 20.0
    while not supervisor.restart_dead():
        assert time.monotonic() < ends
        time.sleep(0.01)
    asker.join(20.0)
    assert answers == [20]


class Flower(BaseHTTPRequestHandler):
    """Answers as a Flower does that knows one login."""

    login = "Basic " + base64.b64encode(b"scan:another").decode()

    def do_GET(self):
        """Tell everybody that it is well, and all else to its own user."""
        known = self.headers["Authorization"] == self.login or self.path == "/healthcheck"
        self.send_response(200 if known else 401)
        self.end_headers()

    def log_message(self, *_):
        """Keep quiet."""


def test_the_flower_of_another_stack_is_not_taken_for_its_own(tmp_path, monkeypatch):
    """It took the port in the seconds that ours needs to start."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Flower) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(stacks, "free_port", lambda _wanted: server.server_address[1])
        one = a_stack(tmp_path, "one")
        command = next(iter(one.watchers()))
        assert command.name == "flower"
        assert not command.ready()
        login = base64.b64encode(command.env["FLOWER_BASIC_AUTH"].encode()).decode()
        monkeypatch.setattr(Flower, "login", f"Basic {login}")
        assert command.ready()
        server.shutdown()
