"""A Redis that is away, is full, refuses to write or loses all, in the middle of scans."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest
import redis
from fleet_fixtures import fleet
from recovery import lasting, shortened
from stack_fixtures import environment

from scanner.errors import StoreUnavailable
from views.cli.stack import as_variables

pytestmark = pytest.mark.faults

SYMBOLS = 800
#: Seconds of each block, so that a scan lasts for about two.
SLOW = "* 0.2"


@pytest.fixture(scope="module")
def one(server, tmp_path_factory):
    """Start a fleet on that server whose scans can be made to last."""
    with fleet(
        tmp_path_factory.mktemp("faults") / "fleet",
        redis_url=server.url,
        module="misbehaving",
        simulator_symbols=SYMBOLS,
        fetch="grouped",
        batch_size=4,
    ) as found:
        yield found


@pytest.fixture(scope="module")
def expected(one):
    """Return the rows of a scan that nothing disturbs."""
    found = one.plain_rows()
    one.misbehave(SLOW)
    return found


@pytest.fixture
def admin(server):
    """Return a client that tries once only."""
    with redis.Redis.from_url(server.url) as client:
        yield client


def begun(one):
    """Return the id of a scan of which a quarter is done."""
    scan_id = one.enqueue()
    one.until(scan_id, SYMBOLS // 4)
    return scan_id


@contextmanager
def followed(one):
    """Yield a command that waits for a scan, and the scan's id when a quarter of it is done."""
    env = environment(one.runtime.settings.home) | as_variables(one.runtime.settings)
    with subprocess.Popen(
        ["scan", "enqueue", "--wait", "--json"],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        ends = time.monotonic() + 30.0
        while not (found := list(one.runtime.state.open_scans())):
            assert time.monotonic() < ends, "the command asks for no scan"
            time.sleep(0.01)
        one.until(found[0], SYMBOLS // 4)
        yield command, found[0]


@pytest.mark.timeout(200)
def test_a_restart_costs_no_symbol(one, server, expected):
    """The server keeps its data and is away for some seconds; no process ends by it."""
    restarted = list(one.restarted)
    with followed(one) as (command, scan_id):
        server.stop()
        time.sleep(4.0)
        server.start()
        one.over(scan_id, expected, "Redis restarts, 4 s", time.monotonic())
        out, err = command.communicate(timeout=30)
    assert one.restarted == restarted
    assert command.returncode == 0, err
    assert "Redis is away: waiting for it" in err
    assert json.loads(out)["id"] == scan_id


@pytest.mark.timeout(300)
def test_a_server_that_is_killed_and_away_costs_no_symbol(one, server, expected):
    """Its last second may be lost; processes wait for it, and do not end again and again."""
    scan_id = begun(one)
    server.stop(signal.SIGKILL)
    time.sleep(lasting(60.0, 6.0))
    server.start()
    back = time.monotonic()
    one.over(scan_id, expected, "Redis is killed and away for 60 s", back, shortened(6.0))
    assert one.supervisor.crash_loops() == {}


@pytest.mark.timeout(200)
def test_a_server_that_hangs_costs_no_symbol(one, server, expected):
    """It takes connections and never answers: each call has its time."""
    scan_id = begun(one)
    server.send(signal.SIGSTOP)
    time.sleep(12.0)
    server.send(signal.SIGCONT)
    one.over(scan_id, expected, "Redis hangs for 12 s", time.monotonic())
    assert one.supervisor.crash_loops() == {}


@pytest.mark.timeout(200)
def test_a_full_server_costs_no_symbol(one, admin, expected):
    """What cannot be written is written later; a new scan is refused with a reason."""
    scan_id = begun(one)
    admin.config_set("maxmemory", 1)
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        one.enqueue(universe="/dev/null")
    time.sleep(5.0)
    admin.config_set("maxmemory", 0)
    one.over(scan_id, expected, "Redis is full for 5 s", time.monotonic())


@pytest.mark.timeout(200)
def test_a_server_that_refuses_to_write_costs_no_symbol(one, admin, expected):
    """As one that was the main one before a failover."""
    scan_id = begun(one)
    admin.replicaof("127.0.0.1", 1)
    time.sleep(5.0)
    admin.replicaof("NO", "ONE")
    one.over(scan_id, expected, "Redis is read-only for 5 s", time.monotonic())


@pytest.mark.timeout(200)
def test_an_emptied_server_costs_the_scan_and_none_after_it(one, admin, expected):
    """It is reported as failed, with a reason; the next one fetches its bars again."""
    with followed(one) as (command, scan_id):
        began = time.monotonic()
        admin.flushall()
        _, err = command.communicate(timeout=30)
    assert command.returncode == 3
    assert "is gone from Redis: was it flushed?" in err
    while (report := one.runtime.reports.load(scan_id)) is None:
        assert time.monotonic() < began + 60.0, "the scan that was lost is not reported"
        time.sleep(0.1)
    one.recovered("Redis is emptied: the scan is reported as failed", began)
    assert report.state == "failed"
    assert "emptied" in report.facts.message
    one.over(one.enqueue(), expected, "Redis was emptied: the next scan", time.monotonic())
