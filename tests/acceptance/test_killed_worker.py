"""A worker that is killed in the middle of a scan costs time, and no symbol."""

from __future__ import annotations

import os
import signal

import pytest
from stack_fixtures import alive, environment, scan, scan_json, stack_up, wait_for

pytestmark = pytest.mark.faults

SYMBOLS = 400


@pytest.mark.timeout(300)
def test_a_killed_worker_costs_no_symbol(tmp_path):
    """Its messages are given out again, it is started again, and the scan ends as done."""
    env = environment(
        tmp_path / "home",
        simulator_symbols=SYMBOLS,
        simulator_latency=0.3,
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
    assert report["state"] == "done"
    assert sum(report["ledger"].values()) == report["symbols"] == SYMBOLS
    assert not any(state.startswith(("deferred", "error")) for state in report["ledger"])
    assert now["scan2"] != victim
