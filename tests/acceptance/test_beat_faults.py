"""A real beat that is killed before a scan is due, and comes back when it is due long since."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest
from fleet_fixtures import fleet
from recovery import lasting

pytestmark = pytest.mark.faults

#: How much longer ago than it did an entry has run, as far as beat knows.
AWAY = dt.timedelta(minutes=9)
_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def last_run(client, entry):
    """Return when an entry of beat's schedule ran last, as beat notes it."""
    last = json.loads(client.hget(f"redbeat:{entry}", "meta"))["last_run_at"]
    return dt.datetime(*(last[name] for name in _PARTS))  # noqa: DTZ001 - its own zone


def set_back(client, entry):
    """Let an entry have run longer ago, so that it is due."""
    key = f"redbeat:{entry}"
    meta = json.loads(client.hget(key, "meta"))
    earlier = last_run(client, entry) - AWAY
    meta["last_run_at"] |= {name: getattr(earlier, name) for name in _PARTS}
    client.hset(key, "meta", json.dumps(meta))
    client.zadd("redbeat::schedule", {key: time.time() - AWAY.total_seconds()})


def until(condition, seconds, what):
    """Wait for a condition."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, what
        time.sleep(0.1)


@pytest.mark.timeout(300)
def test_a_scan_that_was_due_while_beat_was_away_starts_once(tmp_path):
    """The next beat takes the lock when that of the dead one has expired, and ticks at once."""
    if time.time() % 60.0 > 35.0:  # it would tick on the minute, before it is killed
        time.sleep(60.0 - time.time() % 60.0)
    with fleet(tmp_path / "fleet", beat=True, simulator_symbols=100, schedule="every 24h") as one:
        client = one.runtime.redis
        until(lambda: client.exists("redbeat::lock", "redbeat:tick") == 2, 30.0, "no beat")
        beat = one.supervisor.children.pop()  # nobody starts it again meanwhile
        beat.process.kill()
        beat.process.wait()
        assert one.runtime.reports.newest() == []
        time.sleep(lasting(20 * 60.0, 1_200.0))
        set_back(client, "tick")
        one.supervisor.start(beat.command)
        began = time.monotonic()
        until(one.runtime.reports.newest, 90.0, "the scan did not start")
        (scan_id,) = one.runtime.reports.newest(10)
        assert one.ended(scan_id, 60.0).state == "done"
        one.recovered("beat is killed and away when a scan is due", began, 1_200.0)
        before = last_run(client, "tick")
        set_back(client, "tick")
        until(lambda: last_run(client, "tick") >= before, 30.0, "no second tick")
        until(lambda: not client.llen("control") + client.hlen("unacked"), 30.0, "it is not done")
        assert one.runtime.reports.newest(10) == [scan_id]
