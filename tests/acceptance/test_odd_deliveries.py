"""Messages that come twice, too late, or not at all, by real workers."""

from __future__ import annotations

import json
import time

import pytest
from fleet_fixtures import fleet

pytestmark = pytest.mark.faults

SYMBOLS = 400


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Start a fleet whose scans can be made to last."""
    folder = tmp_path_factory.mktemp("odd") / "fleet"
    with fleet(
        folder, module="misbehaving", simulator_symbols=SYMBOLS, fetch="grouped", batch_size=4
    ) as found:
        yield found


@pytest.fixture(scope="module")
def expected(one):
    """Return the rows of a scan that nothing disturbs."""
    found = one.plain_rows()
    one.misbehave("* 0.2")
    return found


def begun(one, recorded=SYMBOLS // 8):
    """Return the id of a scan of which so much is done."""
    scan_id = one.enqueue()
    one.until(scan_id, recorded)
    return scan_id


@pytest.mark.timeout(200)
def test_messages_that_come_twice_are_counted_once(one, expected):
    """Those that wait in the queue are doubled, so that two threads work on each at a time."""
    client = one.runtime.redis
    scan_id = begun(one)
    waiting = client.lrange("scan", 0, -1)
    assert len(waiting) > 20
    client.rpush("scan", *waiting)
    one.over(scan_id, expected, "messages come twice", time.monotonic())
    ends = time.monotonic() + 30.0
    while not {"refused", "late"} & one.progress(scan_id).events.keys():
        assert time.monotonic() < ends, "no second message was refused"
        time.sleep(0.05)


@pytest.mark.timeout(200)
def test_a_task_that_outlasts_its_message_is_recorded_once(one, expected):
    """The time of delivery is set back, so that running tasks are delivered once more."""
    client = one.runtime.redis
    one.misbehave("* 1.5")
    scan_id = one.enqueue()
    ends = time.monotonic() + 60.0
    while "redelivered" not in one.progress(scan_id).events:
        assert time.monotonic() < ends, "nothing was delivered again"
        if tags := [tag for tag, _ in client.zscan_iter("unacked_index")]:
            client.zadd("unacked_index", dict.fromkeys(tags, 0.0), xx=True)
        time.sleep(0.05)
    one.misbehave("* 0.2")
    one.over(scan_id, expected, "running tasks are delivered again", time.monotonic())


@pytest.mark.timeout(200)
def test_a_scan_that_is_started_twice_runs_once(one, expected):
    """The second start finds it running."""
    scan_id = begun(one)
    batches = one.progress(scan_id).fields["batches"]
    for _ in range(3):
        one.send("start_scan", scan_id)
    progress = one.over(scan_id, expected)
    assert progress.fields["batches"] == batches
    assert progress.events == {}


@pytest.mark.timeout(200)
def test_a_chord_that_is_lost_is_no_scan_that_is_lost(one, expected):
    """Its counter vanishes in the middle; the reconciler closes the scan."""
    client = one.runtime.redis
    scan_id = begun(one)
    lost = 0
    while (progress := one.progress(scan_id)).recorded < progress.total:
        found = list(client.scan_iter("celery-taskset-meta-*", count=1_000))
        lost += client.delete(*found) if found else 0
        time.sleep(0.01)
    assert lost
    one.over(scan_id, expected, "a chord's counter is lost", time.monotonic())


@pytest.mark.timeout(200)
def test_a_part_that_is_revoked_costs_no_symbol(one, expected):
    """Its chord fails for good; what it would have scanned is given out by the reconciler."""
    client = one.runtime.redis
    scan_id = begun(one, recorded=8)
    revoked = [json.loads(message)["headers"]["id"] for message in client.lrange("scan", 0, 4)]
    one.app.control.revoke(revoked)
    one.over(scan_id, expected, "parts are revoked", time.monotonic())
    assert one.progress(scan_id).events["republished:reconciled"] > 0


@pytest.mark.timeout(200)
def test_what_comes_after_the_end_is_refused(one, expected):
    """A scan that is over stays as it is."""
    client = one.runtime.redis
    scan_id = begun(one)
    message = client.lrange("scan", 0, 0)
    before = one.over(scan_id, expected)
    client.lpush("scan", *message)
    report = client.get(f"ms1:scan:{scan_id}:report")
    ends = time.monotonic() + 20.0
    while client.llen("scan"):
        assert time.monotonic() < ends, "nobody takes the message"
        time.sleep(0.05)
    other = one.enqueue()
    assert one.rows(other) if one.ended(other, 60.0) else None
    assert client.get(f"ms1:scan:{scan_id}:report") == report
    late = one.progress(scan_id)
    assert late.events == {**before.events, "late": 1}
    assert late.fields == {**before.fields, "event:late": "1"}
    assert json.loads(message[0])["headers"]["task"] == "scan_symbols"
