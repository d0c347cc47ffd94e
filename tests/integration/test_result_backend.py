"""The result backend on a Redis that goes away for a moment."""

from __future__ import annotations

import threading

import pytest
import redis
from celery import Celery
from process_fixtures import free_port, running_valkey

from worker.backend import RetryingRedisBackend


@pytest.fixture
def address(tmp_path):
    """Return the folder, port and password of a server that can be started twice."""
    return {"folder": tmp_path, "port": free_port(), "password": "made-up"}


def test_a_call_during_a_restart_is_answered_by_the_server_that_comes_back(address):
    """The connection is refused at first, and tried again."""
    with running_valkey(**address) as url:
        backend = RetryingRedisBackend(url=url, app=Celery(set_as_current=False))
        assert backend.client.ping()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(backend.client.ping()))
    asking.start()
    with running_valkey(**address):
        asking.join(30)
        assert answers == [True]
    backend.client.close()


def test_a_connection_that_was_cut_is_made_again(address):
    """As by a proxy that drops idle ones."""
    with running_valkey(**address) as url:
        backend = RetryingRedisBackend(url=url, app=Celery(set_as_current=False))
        backend.client.set("a", 1)
        with redis.Redis.from_url(url) as other:
            other.client_kill_filter(_type="normal", skipme=True)
        assert backend.client.get("a") == b"1"
        backend.client.close()
