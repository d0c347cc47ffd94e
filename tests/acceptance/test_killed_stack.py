"""The processes of `scan up` end by force, one after the other, and at last `scan up` itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from stack_fixtures import alive, environment, scan, scan_json, stack_up, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

SYMBOLS = 200


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    """Return the settings of a small stack whose scans last for some seconds."""
    return environment(
        tmp_path_factory.mktemp("killed") / "home",
        workers=2,
        threads=2,
        simulator_symbols=SYMBOLS,
        simulator_latency=0.1,
        fetch="symbols",
    )


def status(env):
    """Return what `scan status` says."""
    return scan_json("status", "--json", env=env)


def processes(env):
    """Return the ids of the stack's processes by name."""
    return status(env)["stack"]["processes"]


def running(env, scan_id, recorded=1):
    """Wait until a scan has so many records."""

    def found():
        (one,) = scan_json("status", scan_id, "--json", env=env)["scans"]
        return one["state"] == "running" and one["recorded"] >= recorded

    wait_for(found, 30, f"the first {recorded} symbols")


def is_whole(report):
    """Check that a scan is done with each of its symbols in one state."""
    assert report["state"] == "done"
    assert report["symbols"] == sum(report["ledger"].values()) == SYMBOLS
    assert not any(state.startswith(("deferred", "error")) for state in report["ledger"])


def test_a_killed_worker_and_a_killed_server_are_started_again_and_cost_nothing(env):
    """Another process has the place of each; the command that waits gets its whole report."""
    with stack_up(env) as stack:
        before = stack["processes"]
        waiting = subprocess.Popen(
            ["scan", "enqueue", "--wait", "--json"],
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with waiting:
            running(env, waiting.stderr.readline().split()[1], SYMBOLS // 10)
            os.kill(before["scan1"], signal.SIGKILL)
            wait_for(lambda: processes(env)["scan1"] != before["scan1"], 10, "its restart")
            assert waiting.poll() is None
            os.kill(before["valkey"], signal.SIGKILL)
            said, told = waiting.communicate(timeout=60)
        assert waiting.returncode == 0, told
        is_whole(json.loads(said))
        wait_for(lambda: all(map(alive, processes(env).values())), 15, "a whole stack")
        now = processes(env)
        others = {name for name in before if now[name] != before[name]}
        assert {"scan1", "valkey"} <= others <= {"scan1", "valkey", "beat"}  # it ends without Redis


@contextmanager
def in_the_foreground(env):
    """Yield `scan up --foreground` when all of its processes are up."""
    up = subprocess.Popen(
        ["scan", "up", "--foreground"],
        env=env,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with up:
        try:
            assert up.stdout.readline().startswith("up: ")
            yield up
        finally:
            up.kill()


def test_a_killed_scan_up_leaves_nothing_behind_and_the_next_one_is_ended_by_ctrl_c(env):
    """Its server ends in order, its scan is cancelled, and the same home serves again."""
    logs = Path(env["SCANNER_HOME"]) / "logs"
    assert scan("up", env=env).returncode == 0
    stack = status(env)["stack"]
    left = scan("enqueue", "--as-of", "2025-06-02", env=env).stdout.strip()
    running(env, left)
    os.kill(stack["pid"], signal.SIGKILL)
    ids = [stack["pid"], *stack["processes"].values()]
    wait_for(lambda: not any(map(alive, ids)), 15, "the end of all processes")
    assert "bye bye" in (logs / "valkey.log").read_text().splitlines()[-1]
    with in_the_foreground(env) as up:
        found = status(env)
        (scanned,) = [one for one in found["scans"] if one["id"] == left]
        assert (scanned["state"], "was stopped" in scanned["message"]) == ("cancelled", True)
        is_whole(scan_json("enqueue", "--wait", "--json", env=env))
        up.send_signal(signal.SIGINT)
        said = up.communicate(timeout=30)
    assert (up.returncode, said) == (0, ("", ""))
    assert not any(map(alive, found["stack"]["processes"].values()))
    assert "bye bye" in (logs / "valkey.log").read_text().splitlines()[-1]
