"""`scan cancel` and `scan resume` on a stack that is up."""

from __future__ import annotations

import pytest
from stack_fixtures import environment, exported, scan, scan_json, stack_up, wait_for

#: At half a second each, ten seconds of twenty threads: time for the commands below.
SYMBOLS = 400


@pytest.mark.timeout(240)
def test_a_cancelled_scan_is_resumed_to_its_end(tmp_path):
    """Its rows are those of a scan that nobody cancelled; what makes no sense is refused."""
    env = environment(
        tmp_path / "home",
        simulator_symbols=SYMBOLS,
        simulator_latency=0.5,
        schedule="off",
        fetch="symbols",
    )
    with stack_up(env):
        scan_id = scan("enqueue", env=env).stdout.strip()

        def progress():
            return scan_json("status", scan_id, "--json", env=env)["scans"][0]

        wait_for(lambda: progress()["recorded"] > 20, 60, "some symbols")
        done = scan("cancel", scan_id, env=env)
        assert (done.returncode, done.stdout) == (
            0,
            f"cancelled; what has no row can still be had: scan resume {scan_id}\n",
        )
        assert progress()["state"] == "cancelled"
        assert progress()["recorded"] < SYMBOLS
        again = scan("cancel", scan_id, env=env)
        assert again.returncode == 2
        assert f"expected a scan that runs, scan {scan_id} is cancelled" in again.stderr
        resumed = scan_json("resume", scan_id, "--wait", "--json", "--top", "0", env=env)
        assert (resumed["id"], resumed["state"], resumed["revision"]) == (scan_id, "done", 1)
        assert sum(resumed["ledger"].values()) == SYMBOLS
        refused = scan("resume", scan_id, env=env)
        assert refused.returncode == 2
        assert f"scan {scan_id} is done" in refused.stderr
        assert scan("resume", "nobody", env=env).returncode == 2
        undisturbed = scan_json("enqueue", "--wait", "--json", env=env)["id"]
        assert exported(env, scan_id) == exported(env, undisturbed)
