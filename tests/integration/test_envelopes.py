"""What anybody can put on a queue of Redis: no message of kombu's, and no reason to end."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from kombu import Connection, Consumer, Exchange, Queue

from worker.transport import Transport

DELIVERY = {"exchange": "", "routing_key": "scan"}
PROPERTIES = {"delivery_tag": "1", "delivery_info": DELIVERY, "body_encoding": "base64"}
ENVELOPE = {
    "body": base64.b64encode(b"[[], {}, {}]").decode(),
    "content-type": "application/json",
    "content-encoding": "utf-8",
    "headers": {"task": "scan_symbols", "id": "1"},
    "properties": PROPERTIES,
}
#: What is no envelope -> what it has in place of the parts of one.
ODD = {
    "a body that is no base64": {"body": "a"},
    "a body of letters that base64 has not": {"body": "ä"},
    "a body that is a list": {"body": ["a"]},
    "headers that are a text": {"headers": "a"},
    "headers that are a list": {"headers": ["a"]},
    "a tag that is a list": {"properties": PROPERTIES | {"delivery_tag": ["1"]}},
    "an exchange that is a list": {
        "properties": PROPERTIES | {"delivery_info": DELIVERY | {"exchange": []}}
    },
    "a route that is an object": {
        "properties": PROPERTIES | {"delivery_info": DELIVERY | {"routing_key": {}}}
    },
    "no delivery": {"properties": {"delivery_tag": "1", "delivery_info": {}}},
    "no properties": {"properties": None},
    "a body in a code of its own": {"properties": PROPERTIES | {"body_encoding": "rot13"}},
    "a code that is a number": {"properties": PROPERTIES | {"body_encoding": 7}},
    "a kind of content that is a list": {"content-type": ["a"]},
    "an encoding that is a number": {"content-encoding": 7},
    "a tag with half a letter": {"properties": PROPERTIES | {"delivery_tag": "\ud800"}},
}
#: What is no JSON at all.
NO_JSON = {
    "letters": b"a",
    "no UTF-8": b"\xff\xfe",
    "a deep list": b"[" * 100_000,
    "nothing": b"",
    "a number that is too long": b"1" * 5_000,
    "a value of a type that nobody knows": b'{"__type__": "a", "__value__": 1}',
    "a value of a type that is a list": b'{"__type__": [], "__value__": 1}',
    "bytes that are a number": b'{"__type__": "bytes", "__value__": 1}',
    "a decimal that is none": b'{"__type__": "decimal", "__value__": "a"}',
    "an id that is none": b'{"__type__": "uuid", "__value__": 1}',
}


def received(queue, url, raw):
    """Return the tags of what a consumer gets of these and of an envelope that comes after them."""
    last = ENVELOPE | {"properties": PROPERTIES | {"delivery_tag": "last"}}
    queue.lpush("scan", *raw, json.dumps(last))
    tags = []

    def take(message):
        tags.append(message.delivery_tag)
        message.ack()

    with (
        Connection(url, transport=Transport) as connection,
        Consumer(connection, [Queue("scan")], on_message=take, accept=["json"]),
    ):
        while queue.llen("scan"):
            connection.drain_events(timeout=5)
    return tags


@pytest.mark.parametrize("parts", ODD.values(), ids=ODD)
def test_what_is_no_envelope_is_dropped_and_the_next_one_received(queue, queue_url, parts):
    """Nothing is raised, and nothing is kept as unacknowledged."""
    assert received(queue, queue_url, [json.dumps(ENVELOPE | parts)]) == ["last"]
    assert not queue.exists("unacked", "unacked_index")


@pytest.mark.parametrize("raw", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_dropped_and_the_next_one_received(queue, queue_url, raw):
    """Nothing is raised, and nothing is kept as unacknowledged."""
    assert received(queue, queue_url, [raw]) == ["last"]
    assert not queue.exists("unacked", "unacked_index")


def test_an_envelope_is_received(queue, queue_url):
    """So that the others are dropped for what they are."""
    assert received(queue, queue_url, [json.dumps(ENVELOPE)]) == ["1", "last"]


@pytest.mark.parametrize("raw", NO_JSON.values(), ids=NO_JSON)
def test_what_is_said_to_all_workers_and_is_no_json_is_dropped(queue, queue_url, raw):
    """On the channel of Celery's control it would end all of them at once."""
    inbox = Queue("inbox", Exchange("all", type="fanout"), auto_delete=True)
    received = []
    with (
        Connection(queue_url, transport=Transport) as connection,
        Consumer(connection, [inbox], on_message=received.append, no_ack=True),
    ):

        def listen():
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.02)

        while not queue.publish("/0.all", raw):
            listen()
        while not received:
            listen()
            queue.publish("/0.all", json.dumps(ENVELOPE))
    assert {one.delivery_tag for one in received} == {"1"}
