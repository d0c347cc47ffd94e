"""Messages that no process of ours wrote: refused, without harm to the worker that got them."""

from __future__ import annotations

import base64
import json
import os
import pickle
import uuid

import pytest
from fleet_fixtures import fleet
from stack_fixtures import wait_for

SYMBOLS = 40
DELIVERED = {"exchange": "", "routing_key": "scan"}


class Payload:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        """Say what makes the object again, for pickle."""
        return os.system, (f"touch {self.path}",)


def envelope(body, content_type="application/json", encoding="utf-8", **headers):
    """Return a message as kombu puts it on a queue of Redis."""
    tag = str(uuid.uuid4())
    named = {"lang": "py", "task": "scan_symbols", "id": tag, "root_id": tag} | headers
    properties = {"delivery_tag": tag, "delivery_info": DELIVERED, "delivery_mode": 2}
    message = {
        "body": base64.b64encode(body).decode(),
        "content-type": content_type,
        "content-encoding": encoding,
        "headers": named,
        "properties": properties | {"body_encoding": "base64", "correlation_id": tag},
    }
    return json.dumps(message).encode()


def call(*arguments, **headers):
    """Return a message that asks for a task with these arguments."""
    body = [arguments, {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    return envelope(json.dumps(body).encode(), **headers)


def foreign(evil):
    """Return messages that are none of ours, by what they are."""
    pickled = pickle.dumps([["x", 0, ["A"]], {}, {}, Payload(evil)])
    body = {"body": "", "headers": {}, "properties": {}}
    return {
        "a pickle": envelope(pickled, "application/x-python-serialize", "binary"),
        "a pickle under a name": envelope(pickled, "pickle", "binary"),
        "a pickle that says it is JSON": envelope(pickled),
        "yaml": envelope(b"!!python/object/apply:os.system ['true']", "application/x-yaml"),
        "an unknown kind of content": envelope(b"[]", "application/x-nobody"),
        "an unknown encoding": envelope(b"[]", encoding="utf-99"),
        "an unknown compression": call("x", compression="application/x-nothing"),
        "packed by nobody": call("x", compression="application/x-gzip"),
        "another alphabet": envelope(b"\xff\xfe[", "text/plain", "utf-99"),
        "JSON cut short": envelope(b'[["x", 0, ["A'),
        "another JSON": envelope(b'{"a": 1}'),
        "no task": envelope(b"[[], {}, {}]", task=None),
        "an unknown task": call("x", task="os.system"),
        "a task of another queue's": call("x", task="tick"),
        "arguments that lack": call("x"),
        "too many arguments": call("x", 0, ["A"], 1, 2, 3),
        "arguments of other kinds": call(1, "two", {"three": None}),
        "a scan that nobody knows": call("nobody", 0, ["A"]),
        "symbols that are none": call("nobody", 0, ["../../etc/passwd", None, 7]),
        "a body of two parts": envelope(b"[[], {}]"),
        "arguments that are none": envelope(b"[7, {}, {}]"),
        "words that are none": envelope(b"[[], 7, {}]"),
        "extras that are none": envelope(b"[[], {}, 7]"),
        "callbacks that are none": envelope(b'[["x", 0, ["A"]], {}, {"callbacks": [7]}]'),
        "a chain that is none": envelope(b'[["x", 0, ["A"]], {}, {"chain": [7]}]'),
        "a chord that is none": envelope(b'[["x", 0, ["A"]], {}, {"chord": {"task": 7}}]'),
        "a task whose name is a list": call("x", task=["scan_symbols"]),
        "a call without an id": call("x", 0, ["A"], id=None),
        "a group that is none": call("x", 0, ["A"], group=[7], root_id={}, parent_id=7),
        "a deep list": b"[" * 100_000,
        "a deep body": envelope(b"[" * 100_000),
        "a moment that is none": call("x", 0, ["A"], expires="yesterday", eta="never"),
        "bytes": b"\xff\x00\x80 not a message",
        "a number": b"7",
        "a list": b"[1, 2]",
        "an empty object": b"{}",
        "an object without a tag": json.dumps(body).encode(),
        "a body that is no base64": json.dumps(
            json.loads(call("x")) | {"body": "%%%", "properties": {"delivery_tag": "t"}}
        ).encode(),
        "nothing": b"",
    }


@pytest.mark.timeout(240)
def test_foreign_messages_are_refused_and_the_next_scan_is_done(tmp_path):
    """Nothing of them is executed, no process ends, and every queue is empty afterwards."""
    evil = tmp_path / "evil"
    assert pickle.loads(pickle.dumps(Payload(evil))) == 0  # noqa: S301 - our own
    assert evil.exists()
    evil.unlink()
    with fleet(
        tmp_path / "home", simulator_symbols=SYMBOLS, workers=1, threads=2, lookback_days=60
    ) as one:
        client = one.runtime.redis
        messages = foreign(evil).values()
        for queue in ("scan", "control"):
            client.lpush(queue, *messages)
        for message in messages:
            client.publish("/0.celery.pidbox", message)
        wait_for(lambda: not (client.llen("scan") or client.llen("control")), 30, "empty queues")
        scan_id = one.enqueue()
        assert one.ended(scan_id, 60.0).state == "done"
        report = one.runtime.reports.load(scan_id)
        assert sum(report.ledger.values()) == SYMBOLS
        assert one.restarted == []
        wait_for(lambda: not client.hlen("unacked"), 30, "no message that is kept")
    assert not evil.exists()
    for name in ("scan1", "control"):
        log = (tmp_path / f"home/logs/{name}.log").read_text()
        assert "Refusing to deserialize untrusted content of type pickle" in log
        assert "Received unregistered task of type 'os.system'" in log
        assert "a message was refused: no JSON" in log
        assert "a message was refused: no envelope" in log
