"""What integration tests share: a server for each module, and one for Celery's app."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest
import redis
from process_fixtures import running_fake, running_valkey

from scanner.owner import this_machine
from worker.celery import app


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    """Keep what is written to the home folder away from the user's."""
    monkeypatch.setenv("SCANNER_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Start a private Valkey."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as address:
        yield address


@pytest.fixture
def client(url):
    """Connect to an empty database."""
    with redis.Redis.from_url(url) as one:
        one.flushall()
        yield one


@pytest.fixture(scope="session")
def dead():
    """Return the name of a process of this machine that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return f"{this_machine()}/{ended.pid}"


@pytest.fixture
def fake():
    """Start a server that answers what the test says."""
    with running_fake() as server:
        yield server


@pytest.fixture(scope="session")
def queue_url(tmp_path_factory):
    """Start the server to which Celery's app of this process is bound, once and for all."""
    with running_valkey(tmp_path_factory.mktemp("queue")) as address:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SCANNER_REDIS_URL", address)
            assert app.conf.broker_url == address
        yield address
        app.backend.result_consumer.stop()
        app.close()
        gc.collect()


@pytest.fixture
def queue(queue_url, monkeypatch):
    """Return a client of the emptied server, to which the settings point."""
    monkeypatch.setenv("SCANNER_REDIS_URL", queue_url)
    with redis.Redis.from_url(queue_url) as client:
        client.flushall()
        yield client
