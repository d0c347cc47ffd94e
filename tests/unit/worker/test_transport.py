"""The transport of the queue where a connection is lost while it is being closed."""

from __future__ import annotations

import pytest
from kombu import Connection

from worker.transport import Transport


def test_a_closed_connection_is_lost_and_no_reason_to_end(tmp_path):
    """Celery closes what is lost, and goes on after errors of connections only."""
    with Connection("redis://127.0.0.1:1/0", transport=Transport) as connection:
        channel = object.__new__(Transport.Channel)
        channel.connection = connection.transport
        assert channel._connparams()["port"] == 1
        connection.transport.client = None
        with pytest.raises(connection.connection_errors, match="got a closed one"):
            channel._connparams()
