"""A symbol whose computation never ends: its scan ends, and so does its process."""

from __future__ import annotations

import time

import pytest
from fleet_fixtures import fleet
from impatient import FACTOR
from recovery import SOAK, lasting, shortened
from stack_fixtures import wait_for

pytestmark = pytest.mark.faults

SYMBOLS = 400
#: Seconds that a scan and a task have by default.
DEADLINE, LIMIT = 120, 290


@pytest.mark.timeout(1_500)
def test_a_symbol_without_an_end_is_left_out_at_the_deadline(tmp_path):
    """The others of its block have their rows; its process ends when its task has run too long."""
    with fleet(
        tmp_path / "fleet",
        module="misbehaving",
        control="" if SOAK else "impatient",
        simulator_symbols=SYMBOLS,
        fetch="grouped",
        deadline=round(lasting(DEADLINE, FACTOR)),
        task_limit=round(lasting(LIMIT, FACTOR)),
    ) as one:
        expected = one.plain_rows()
        symbol = list(expected)[7]
        one.misbehave(f"{symbol} loop")
        began, scan_id = time.monotonic(), one.enqueue()
        assert one.ended(scan_id, DEADLINE + 30.0).state == "degraded"
        one.recovered("a symbol without an end, to the deadline", began, shortened(FACTOR))
        report = one.runtime.reports.load(scan_id)
        assert report.find(symbol).state == "deferred:unfinished"
        assert one.rows(scan_id) == {s: row for s, row in expected.items() if s != symbol}
        one.misbehave()
        wait_for(lambda: one.restarted, LIMIT + 30.0, "the end of its process")
        one.over(one.enqueue(), expected)
