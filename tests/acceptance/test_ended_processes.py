"""Processes that are ended in the middle of a scan, in order or not, one or all of them."""

from __future__ import annotations

import os
import signal
import time

import pytest
from fleet_fixtures import fleet
from recovery import rounds

pytestmark = pytest.mark.faults

SYMBOLS = 1_600
WORKERS = [f"scan{number}" for number in range(1, 5)]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Start a fleet whose scans can be made to last."""
    folder = tmp_path_factory.mktemp("ended") / "fleet"
    with fleet(
        folder, module="misbehaving", simulator_symbols=SYMBOLS, fetch="grouped", batch_size=8
    ) as found:
        yield found


@pytest.fixture(scope="module")
def expected(one):
    """Return the rows of a scan that nothing disturbs."""
    return one.plain_rows()


def back_up(one, name, before, seconds=60.0):
    """Wait until another process has that name."""
    ends = time.monotonic() + seconds
    while one.supervisor.pids()[name] == before.pid:
        assert time.monotonic() < ends, f"{name} was not started again"
        time.sleep(0.05)


@pytest.mark.timeout(200)
def test_all_workers_killed_at_once_cost_no_symbol(one, expected):
    """Their next processes give out what they had begun."""
    one.misbehave("* 0.1")
    scan_id = one.enqueue()
    one.until(scan_id, SYMBOLS // 4)
    killed, began = {name: one.process(name) for name in WORKERS}, time.monotonic()
    for process in killed.values():
        process.kill()
    one.over(scan_id, expected, "all workers are killed", began)
    for name, process in killed.items():
        back_up(one, name, process)


@pytest.mark.timeout(300)
def test_workers_that_are_stopped_in_order_lose_and_repeat_nothing(one, expected):
    """SIGTERM: what runs is done, what waits goes back, and the process ends with 0."""
    one.misbehave("* 0.2")
    stops = rounds(10)
    done = 0
    while done < stops:
        scan_id = one.enqueue()
        one.until(scan_id, 50)
        for name in WORKERS[: stops - done]:
            process = one.process(name)
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            began = time.monotonic()
            assert process.returncode == 0
            done += 1
        last = one.over(scan_id, expected, "workers are stopped by SIGTERM", began)
        assert "refused" not in last.events
        for name in WORKERS:
            ends = time.monotonic() + 60.0
            while one.process(name).poll() is not None:
                assert time.monotonic() < ends, f"{name} was not started again"
                time.sleep(0.05)


@pytest.mark.timeout(200)
def test_a_worker_that_quits_leaves_nothing_unacknowledged(one, expected):
    """SIGQUIT: what runs is done, the rest is the others'."""
    one.misbehave("* 0.2")
    before = one.runtime.redis.hlen("unacked")
    scan_id = one.enqueue()
    one.until(scan_id, 50)
    process, began = one.process("scan1"), time.monotonic()
    process.send_signal(signal.SIGQUIT)
    process.wait(30)
    one.over(scan_id, expected, "a worker quits by SIGQUIT", began)
    assert one.runtime.redis.hlen("unacked") == before


@pytest.mark.timeout(300)
@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_a_control_worker_killed_at_any_time_costs_no_scan(one, expected, delay):
    """While it plans, publishes or closes, or before it has the message."""
    one.misbehave()
    process = one.process("control")
    scan_id = one.enqueue()
    time.sleep(delay)
    process.kill()
    began = time.monotonic()
    one.over(scan_id, expected, f"the control worker is killed after {delay} s", began)
    back_up(one, "control", process)


@pytest.mark.timeout(200)
def test_a_control_worker_killed_while_it_publishes_costs_no_symbol(one, expected):
    """What was not put on the queue is found and given out."""
    one.misbehave("* 0.2")
    scan_id = one.enqueue()
    process = one.process("control")
    ends = time.monotonic() + 30.0
    while one.runtime.redis.llen("scan") < SYMBOLS / 8 * 0.4:
        assert time.monotonic() < ends, "the batches are not published"
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    began = time.monotonic()
    one.misbehave()
    one.over(scan_id, expected, "the publisher is killed at two fifths", began)
    assert one.progress(scan_id).events["republished:reconciled"] > 0
