"""A symbol that ends every process that computes it costs its own row, and no other."""

from __future__ import annotations

import time

import pytest
from fleet_fixtures import fleet

pytestmark = pytest.mark.faults

SYMBOLS = 5_277


@pytest.mark.timeout(300)
def test_one_poison_symbol_among_a_market_is_one_error_row(tmp_path, monkeypatch):
    """The block and its own task twice end a process each; all others have their rows."""
    with fleet(tmp_path / "plain", simulator_symbols=SYMBOLS, fetch="grouped") as plain:
        scan_id = plain.enqueue()
        plain.ended(scan_id, 90.0)
        clean = plain.runtime.reports.load(scan_id)
    poison = clean.rows[100].row.symbol
    monkeypatch.setenv("POISON", poison)
    with fleet(
        tmp_path / "poisoned", module="poison", simulator_symbols=SYMBOLS, fetch="grouped"
    ) as one:
        began = time.monotonic()
        scan_id = one.enqueue()
        one.ended(scan_id, 120.0)
        one.recovered("a symbol ends every process, one of 5,277", began)
        report = one.runtime.reports.load(scan_id)
        assert len(one.restarted) == 3
    assert report.state == "done"
    assert {**report.ledger, "error:Poison": 0} == {
        **clean.ledger,
        "error:Poison": 0,
        "scored": clean.ledger["scored"] - 1,
    }
    assert report.ledger["error:Poison"] == 1
    assert report.find(poison).state == "error:Poison"
    rows = {one.row.symbol: one.row.values for one in clean.rows}
    assert {one.row.symbol: one.row.values for one in report.rows} == {
        symbol: values for symbol, values in rows.items() if symbol != poison
    }
