"""A provider that dies in the middle of a scan costs the symbols under way, and no other."""

from __future__ import annotations

import pytest
from process_fixtures import free_port, running_simulator
from stack_fixtures import environment, scan, scan_json, stack_up, wait_for

pytestmark = pytest.mark.faults

SYMBOLS, THREADS = 400, 20
#: Failures in a row that open the breaker.
OPENS_AT = 8


@pytest.mark.timeout(300)
def test_an_outage_costs_the_symbols_under_way_only(tmp_path):
    """The others are deferred in a moment, and given out again when the provider is back."""
    port = free_port()
    options = ("--symbols", str(SYMBOLS), "--latency", "0.3", "--port", str(port))
    env = environment(
        tmp_path / "home",
        simulator_url=f"http://127.0.0.1:{port}",
        schedule="off",
        fetch="symbols",
        deadline=240,
    )
    with stack_up(env):
        with running_simulator(tmp_path, *options):
            scan_id = scan("enqueue", env=env).stdout.strip()

            def progress():
                return scan_json("status", scan_id, "--json", env=env)["scans"][0]

            wait_for(lambda: progress()["recorded"] > SYMBOLS // 8, 60, "an eighth of the scan")
        wait_for(lambda: progress()["waiting"] > 2 * THREADS, 60, "symbols that were given back")
        with running_simulator(tmp_path, *options):
            wait_for(lambda: progress()["state"] in {"done", "degraded", "failed"}, 200, "the end")
            report = scan_json("show", scan_id, "--json", "--top", "0", env=env)
    assert sum(report["ledger"].values()) == report["symbols"] == SYMBOLS
    lost = {
        state: count
        for state, count in report["ledger"].items()
        if state.startswith(("deferred", "error"))
    }
    assert set(lost) <= {"error:ProviderUnavailable"}
    assert sum(lost.values()) <= OPENS_AT + THREADS
