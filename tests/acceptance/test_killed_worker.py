"""A worker that is killed in the middle of a scan costs time, and no symbol."""

from __future__ import annotations

import os
import signal
import time

import pytest
from fleet_fixtures import fleet
from stack_fixtures import alive, environment, exported, scan, scan_json, stack_up, wait_for

pytestmark = pytest.mark.faults

SYMBOLS = 400


@pytest.mark.timeout(300)
def test_a_killed_worker_costs_no_symbol(tmp_path):
    """Its messages are given out again, it is started again, and the scan ends as done."""
    env = environment(
        tmp_path / "home",
        simulator_symbols=SYMBOLS,
        simulator_latency=0.15,
        schedule="off",
        fetch="symbols",
        deadline=240,
    )
    with stack_up(env) as stack:
        scan_id = scan("enqueue", env=env).stdout.strip()

        def progress():
            return scan_json("status", scan_id, "--json", env=env)["scans"][0]

        wait_for(lambda: progress()["recorded"] > SYMBOLS // 8, 60, "an eighth of the scan")
        victim = stack["processes"]["scan2"]
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: not alive(victim), 10, "the end of the worker")
        wait_for(lambda: progress()["state"] in {"done", "degraded", "failed"}, 200, "the end")
        report = scan_json("show", scan_id, "--json", "--top", "0", env=env)
        now = scan_json("status", "--json", env=env)["stack"]["processes"]
        undisturbed = scan_json("enqueue", "--wait", "--json", env=env)
        rows = [exported(env, one) for one in (scan_id, undisturbed["id"])]
    assert report["state"] == "done"
    assert sum(report["ledger"].values()) == report["symbols"] == SYMBOLS
    assert not any(state.startswith(("deferred", "error")) for state in report["ledger"])
    assert now["scan2"] != victim
    assert rows[0] == rows[1] != {}


@pytest.mark.timeout(200)
def test_a_worker_killed_while_it_fetches_sessions_costs_none(tmp_path):
    """Its next process fetches them again; the reconciler, as seldom as beat's, is not needed."""
    with fleet(
        tmp_path / "fleet",
        reconciled=15.0,
        simulator_symbols=SYMBOLS,
        simulator_latency=0.15,
        fetch="grouped",
    ) as one:
        expected = one.plain_rows()
        for share in (1, 5):
            for key in one.runtime.redis.scan_iter("ms1:day:*", count=1_000):
                one.runtime.redis.delete(key)
            scan_id = one.enqueue()
            ends = time.monotonic() + 30.0
            while int(one.progress(scan_id).fields.get("sessions_done", 0)) < 50 * share:
                assert time.monotonic() < ends, "no sessions come"
                time.sleep(0.01)
            os.kill(one.supervisor.pids()["scan1"], signal.SIGKILL)
            began = time.monotonic()
            one.over(scan_id, expected, "a worker is killed while it fetches sessions", began)
