"""A real beat that is killed or loses its Redis, and what it does when it is back."""

from __future__ import annotations

import time

import pytest
from beat_entries import last_run, set_back
from fleet_fixtures import fleet
from recovery import lasting, shortened
from stack_fixtures import wait_for

pytestmark = pytest.mark.faults

SYMBOLS = 400


@pytest.fixture(scope="module")
def one(server, tmp_path_factory):
    """Start a fleet whose reconciler beat calls; its first tick is not before a minute is over."""
    if time.time() % 60.0 > 35.0:  # it would tick on the minute, before it is killed
        time.sleep(60.0 - time.time() % 60.0)
    with fleet(
        tmp_path_factory.mktemp("faults") / "fleet",
        beat=True,
        redis_url=server.url,
        module="misbehaving",
        simulator_symbols=SYMBOLS,
        fetch="grouped",
        batch_size=4,
        schedule="every 24h",
    ) as found:
        client = found.runtime.redis
        wait_for(lambda: client.exists("redbeat::lock", "redbeat:tick") == 2, 30.0, "beat")
        yield found


@pytest.fixture(scope="module")
def universe(one, tmp_path_factory):
    """Return a file of all symbols: beat may start a scan of `all` when its slot is forgotten."""
    path = tmp_path_factory.mktemp("universe") / "universe.txt"
    path.write_text("\n".join(one.plain_rows()))
    return str(path)


@pytest.fixture(scope="module")
def expected(one, universe):
    """Return the rows of a scan that nothing disturbs; the scans after it last for a while."""
    found = one.plain_rows(universe=universe)
    one.misbehave("* 0.3")
    return found


@pytest.mark.timeout(1_500)
def test_a_scan_that_was_due_while_beat_was_away_starts_once(one):
    """The next beat takes the lock when that of the dead one has expired, and ticks at once."""
    client = one.runtime.redis
    beat = one.supervisor.children.pop()  # nobody starts it again meanwhile
    beat.process.kill()
    beat.process.wait()
    assert one.runtime.reports.newest() == []
    time.sleep(lasting(20 * 60.0, 1_200.0))
    set_back(client, "tick")
    one.supervisor.start(beat.command)
    began = time.monotonic()
    wait_for(one.runtime.reports.newest, 90.0, "the scan")
    (scan_id,) = one.runtime.reports.newest(10)
    assert one.ended(scan_id, 60.0).state == "done"
    one.recovered("beat is killed and away when a scan is due", began, shortened(1_200.0))
    before = last_run(client, "tick")
    set_back(client, "tick")
    wait_for(lambda: last_run(client, "tick") >= before, 30.0, "a second tick")
    wait_for(lambda: not client.llen("control") + client.hlen("unacked"), 30.0, "its end")
    assert one.runtime.reports.newest(10) == [scan_id]


@pytest.mark.timeout(200)
def test_beat_reports_the_scan_of_a_server_that_is_emptied(one, universe, expected):
    """Its own lock and schedule are gone too: it makes them anew."""
    scan_id = one.enqueue(universe=universe)
    one.until(scan_id, SYMBOLS // 4)
    one.runtime.redis.flushall()
    began = time.monotonic()
    report = wait_for(lambda: one.runtime.reports.load(scan_id), 90.0, "the report")
    one.recovered("Redis is emptied: beat reports the scan as failed", began)
    assert report.state == "failed"
    assert "emptied" in report.facts.message
    one.over(one.enqueue(universe=universe), expected)


@pytest.mark.timeout(300)
def test_beat_goes_on_when_its_server_is_back(one, server, universe, expected):
    """It may end meanwhile; it holds its lock again, and calls the reconciler."""
    scan_id = one.enqueue(universe=universe)
    one.until(scan_id, SYMBOLS // 4)
    server.stop()
    time.sleep(lasting(60.0, 6.0))
    server.start()
    began, client = time.monotonic(), one.runtime.redis
    before = last_run(client, "reconcile")
    one.over(scan_id, expected, "Redis is away for 60 s, with beat", began, shortened(6.0))
    wait_for(lambda: last_run(client, "reconcile") > before, 90.0, "the reconciler")
    assert client.exists("redbeat::lock") == 1
    assert "beat" not in one.supervisor.crash_loops()
