"""Workers that are killed in the middle of short scans, again and again."""

from __future__ import annotations

import os
import signal
import time

import pytest
from fleet_fixtures import fleet
from recovery import rounds

pytestmark = pytest.mark.faults

ROUNDS = rounds(12)


@pytest.mark.timeout(400)
def test_a_worker_killed_in_each_of_twelve_scans_costs_no_symbol(tmp_path):
    """Each scan ends once, as done, with the rows of a scan that nothing disturbed."""
    with fleet(
        tmp_path / "fleet",
        reconciled=1.0,
        simulator_symbols=2_000,
        fetch="grouped",
        batch_size=20,
    ) as one:

        def report(scan_id):
            found = one.runtime.reports.load(scan_id)
            return found.state, found.ledger, {r.row.symbol: r.row.values for r in found.rows}

        first = one.enqueue()
        one.ended(first, 90.0)
        expected, again = report(first), []
        for number in range(ROUNDS):
            name = f"scan{number % 4 + 1}"
            scan_id = one.enqueue()
            ends = time.monotonic() + 30.0
            while one.progress(scan_id).recorded < 100 * (number % 4 + 1):
                assert time.monotonic() < ends
                time.sleep(0.002)
            victim = one.supervisor.pids()[name]
            os.kill(victim, signal.SIGKILL)
            killed = time.monotonic()
            events = one.ended(scan_id, 100.0).events
            again.append(sum(n for name, n in events.items() if "republished" in name))
            one.recovered("a worker is killed", killed)
            assert report(scan_id) == expected
            while one.supervisor.pids()[name] == victim:
                assert time.monotonic() < ends + 30.0
                time.sleep(0.05)
        assert max(again) > 0
        assert one.runtime.state.open_scans() == {}
        assert len(one.runtime.reports.newest(100)) == ROUNDS + 1
