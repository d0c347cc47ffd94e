"""What anybody can put on a queue of Redis: no message of kombu's, and no reason to end."""

from __future__ import annotations

import base64
import json

import pytest
from kombu import Connection, Consumer, Queue

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
}
#: What is no JSON at all.
NO_JSON = {"letters": b"a", "no UTF-8": b"\xff\xfe", "a deep list": b"[" * 100_000, "nothing": b""}


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
