"""Logs of a worker: one JSON line each, from structlog and the standard library alike."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

TALK = """
import logging, structlog
from worker.telemetry import configure_logging
configure_logging()
logging.getLogger("foreign").warning("from %s", "afar")
structlog.get_logger("ours").info("scan is due", scan="s1", seconds=0.25)
structlog.get_logger("ours").debug("not shown")
logging.getLogger("foreign").debug("not shown")
logging.getLogger("celery.app.trace").info("not shown: one line a task")
logging.getLogger("celery.worker.strategy").info("not shown: one line a task")
logging.getLogger("celery.app.trace").error("a task failed")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("ours").exception("batch\\nfailed", cause="x")
configure_logging()
logging.getLogger("foreign").warning("once")
"""


@pytest.fixture(scope="module")
def lines():
    """Return what a process logged, line by line."""
    done = subprocess.run(
        [sys.executable, "-c", TALK], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_every_record_is_one_line_of_json(lines):
    """Also one with a line end and a traceback, and after a second set-up."""
    assert [line["event"] for line in lines] == [
        "from afar",
        "scan is due",
        "a task failed",
        "batch\nfailed",
        "once",
    ]


def test_every_line_has_its_level_and_its_time_in_utc(lines):
    """Whoever wrote it."""
    assert [line["level"] for line in lines] == ["warning", "info", "error", "error", "warning"]
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_facts_are_fields_with_their_types(lines):
    """They can be searched for."""
    assert (lines[1]["scan"], lines[1]["seconds"]) == ("s1", 0.25)
    assert "ZeroDivisionError" in lines[3]["exception"]
