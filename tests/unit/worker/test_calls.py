"""What asks a worker for a task: Celery's form of it and no other."""

from __future__ import annotations

import pytest

from worker.consumer import is_call

HEADERS = {"id": "1", "task": "scan_symbols"}
END = {"task": "finish_scan", "args": ["a"], "kwargs": {}, "options": {}}
#: What no task is followed by, as an extra of its call.
ODD = {
    "a chord that is a number": {"chord": 7},
    "a chord that is a list": {"chord": [END]},
    "a chord without a task": {"chord": {"args": [], "kwargs": {}, "options": {}}},
    "a chord whose task is a number": {"chord": END | {"task": 7}},
    "a chord whose options are a list": {"chord": END | {"options": []}},
    "a chain that is a number": {"chain": 7},
    "a chain of numbers": {"chain": [7]},
    "callbacks that are one": {"callbacks": END},
    "errbacks without arguments": {"errbacks": [{"task": "finish_scan"}]},
    "another id": {"id": "2"},
    "another place of delivery": {"delivery_info": 7},
    "a name that Celery does not know": {"afterwards": [END]},
}


@pytest.mark.parametrize("extra", ODD.values(), ids=ODD)
def test_a_call_with_an_odd_extra_is_none(extra):
    """Celery puts them into its request as they are, and fails where no error is expected."""
    assert not is_call(HEADERS, [[], {}, extra])


@pytest.mark.parametrize(
    "extras",
    [
        {},
        {"callbacks": None, "errbacks": None, "chain": None, "chord": None},
        {"callbacks": [END], "errbacks": [END, END], "chain": [END], "chord": END},
    ],
    ids=["none", "Celery's own", "all"],
)
def test_a_call_with_what_celery_puts_there_is_one(extras):
    """The parts of a scan have a chord."""
    assert is_call(HEADERS, [["a", 1], {"b": 2}, extras])


@pytest.mark.parametrize(
    "header",
    [
        {"timelimit": 7},
        {"timelimit": [7]},
        {"shadow": ["a"]},
        {"stamped_headers": 7},
        {"stamped_headers": [["a"]]},
        {"group": {"a": 1}},
        {"eta": "0001-01-01T00:00:00"},
        {"expires": "0001-01-01T00:00:00"},
    ],
    ids=str,
)
def test_a_call_with_an_odd_header_is_none(header):
    """Its worker would end, and each that gets it again."""
    assert not is_call(HEADERS | header, [[], {}, {}])
