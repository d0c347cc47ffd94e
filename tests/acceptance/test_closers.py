"""Control workers that die as they close scans, and deadlines that come as scans are done."""

from __future__ import annotations

import time

import pytest
from fleet_fixtures import assert_sums, fleet
from recovery import rounds

from scanner import keys

pytestmark = pytest.mark.faults

SYMBOLS = 400


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Start a fleet whose control worker can be told to die."""
    folder = tmp_path_factory.mktemp("closers") / "fleet"
    with fleet(
        folder, control="dying", simulator_symbols=SYMBOLS, fetch="grouped", batch_size=2
    ) as found:
        yield found


@pytest.fixture(scope="module")
def expected(one):
    """Return the rows of a scan that nothing disturbs."""
    return one.plain_rows()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_closer_that_dies_is_followed_by_one_that_writes_the_same_bytes(one, expected, when):
    """Whether it has written the report already or not."""
    for _ in range(rounds(2)):
        one.misbehave(when)
        closer = one.process("control")
        scan_id = one.enqueue()
        closer.wait(60)
        began = time.monotonic()
        assert one.progress(scan_id).state == "closing"
        written = one.runtime.redis.get(keys.report(scan_id))
        assert (written is None) is (when == "before")
        one.over(scan_id, expected, f"the closer is killed {when} it has written", began)
        first = written or one.faults.with_suffix(".bytes").read_bytes()
        assert one.runtime.redis.get(keys.report(scan_id)) == first


@pytest.mark.timeout(300)
def test_a_deadline_that_comes_as_the_last_symbols_do_makes_one_report(one, expected):
    """The chord's body and three calls of the reconciler run into each other."""
    client = one.runtime.redis
    client.delete("unacked", "unacked_index")  # what closers that were killed had taken
    client.config_set("notify-keyspace-events", "K$")
    ends = set()
    with client.pubsub() as heard:
        heard.psubscribe(f"__keyspace@*:{keys.PREFIX}*:report")
        assert heard.get_message(timeout=5.0)["type"] == "psubscribe"
        for left in range(rounds(12)):
            scan_id = one.enqueue()
            one.until(scan_id, SYMBOLS - 4 * (left % 12))
            client.zadd(keys.SCANS_OPEN, {scan_id: time.time()}, xx=True)
            for _ in range(3):
                one.send("reconcile")
            ends.add(one.ended(scan_id, 60.0).state)
            report = one.runtime.reports.load(scan_id)
            assert_sums(report)
            assert expected.items() >= one.rows(scan_id).items()
            assert len(report.rows) + len(report.absences) == SYMBOLS
        one.idle()
        said = [message["channel"] for message in iter(heard.get_message, None)]
    assert len(said) == len(set(said)) == rounds(12)
    assert ends <= {"done", "degraded"}
