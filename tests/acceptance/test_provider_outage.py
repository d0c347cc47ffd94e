"""A provider that dies in the middle of a scan costs the symbols under way, and no other."""

from __future__ import annotations

import time

import pytest
from fleet_fixtures import assert_sums, fleet
from process_fixtures import free_port, running_simulator

pytestmark = pytest.mark.faults

SYMBOLS, THREADS = 400, 20
#: Failures in a row that open the breaker.
OPENS_AT = 8


@pytest.mark.timeout(300)
def test_an_outage_costs_the_symbols_under_way_only(tmp_path):
    """The others are deferred in a moment, and given out again when the provider is back."""
    port = free_port()
    options = ("--symbols", str(SYMBOLS), "--latency", "0.3", "--port", str(port))
    with fleet(
        tmp_path / "fleet",
        simulator_url=f"http://127.0.0.1:{port}",
        fetch="symbols",
        deadline=240,
    ) as one:
        with running_simulator(tmp_path, *options):
            scan_id = one.enqueue()
            one.until(scan_id, SYMBOLS // 8, 60.0)
        ends = time.monotonic() + 60.0
        while one.progress(scan_id).waiting <= 2 * THREADS:
            assert time.monotonic() < ends, "no symbols were given back"
            time.sleep(0.05)
        with running_simulator(tmp_path, *options):
            began = time.monotonic()
            one.ended(scan_id, 200.0)
            one.recovered("a provider that was down is back", began)
        report = one.runtime.reports.load(scan_id)
    assert_sums(report)
    assert len(report.rows) + len(report.absences) == SYMBOLS
    lost = {
        state: count
        for state, count in report.ledger.items()
        if state.startswith(("deferred", "error"))
    }
    assert set(lost) <= {"error:ProviderUnavailable"}
    assert sum(lost.values()) <= OPENS_AT + THREADS
