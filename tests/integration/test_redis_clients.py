"""Clients of Redis: they try again for a while, and wait for no answer without end."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import redis
from process_fixtures import free_port, running_valkey

from scanner import redis_clients
from scanner.errors import StoreUnavailable
from scanner.redis_clients import cache_client, redis_client
from scanner.redis_errors import redis_errors
from scanner.settings import load_settings


def client_of(port):
    """Return the client of a server at a port."""
    return redis_client(load_settings(redis_url=f"redis://:secret@127.0.0.1:{port}/0"))


def test_a_server_that_restarts_costs_a_call_some_time(tmp_path):
    """No error gets out for a second without a server."""
    port = free_port()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(client_of(port).ping()))
    asking.start()
    time.sleep(0.5)
    with running_valkey(tmp_path, port=port, password="secret"):
        asking.join(20.0)
    assert answers == [True]


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    """It takes the connection, and says nothing."""
    monkeypatch.setattr(redis_clients, "_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = client_of(server.getsockname()[1])
        with pytest.raises(redis.TimeoutError):
            client.ping()


def test_connections_that_died_in_silence_are_noticed():
    """As behind a firewall that forgets them: asked before their next use, and kept alive."""
    options = client_of(1).get_connection_kwargs()
    assert options["health_check_interval"] == 25
    assert options["socket_keepalive"] is True
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (15.0, 5.0)
    assert redis.TimeoutError in options["retry_on_error"]


def test_bars_have_a_server_of_their_own_where_one_is_named():
    """Else they lie beside the queue."""
    settings = load_settings(redis_url="redis://127.0.0.1:1/0")
    client = redis_client(settings)
    assert cache_client(settings, client) is client
    both = load_settings(redis_url="redis://127.0.0.1:1/0", cache_url="redis://127.0.0.1:2/0")
    assert cache_client(both, client).get_connection_kwargs()["port"] == 2


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (redis.ConnectionError("refused"), True),
        (redis.TimeoutError("no answer"), True),
        (redis.exceptions.BusyLoadingError("loading"), True),
        (redis.exceptions.OutOfMemoryError("maxmemory"), True),
        (redis.exceptions.ReadOnlyError("a replica"), True),
        (redis.ResponseError("wrong kind"), False),
        (redis.exceptions.NoPermissionError("no such command for you"), False),
    ],
)
def test_only_what_passes_is_waited_for(error, passes):
    """A server that is away, full or a replica for now; what it refuses it goes on to refuse."""
    with (
        pytest.raises(StoreUnavailable, match="read a scan: Redis answered") as found,
        redis_errors("read a scan"),
    ):
        raise error
    assert found.value.passes is passes
