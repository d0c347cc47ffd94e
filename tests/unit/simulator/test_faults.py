"""Faults of the simulator: how they are written and whom they hit."""

from __future__ import annotations

import pytest

from simulator.faults import DATA_FAULTS, Fault, FaultPlan, parse_fault

ROWS = [{"c": n, "l": n, "t": n} for n in (1, 2, 3)]
PAYLOAD = {"results": ROWS, "resultsCount": 3, "count": 3}


def test_a_fault_is_written_for_a_share_or_for_a_symbol():
    """Both forms are read."""
    assert parse_fault("cut=0.25") == Fault(kind="cut", share=0.25)
    assert parse_fault("nan_bars:BRK.B") == Fault(kind="nan_bars", symbol="BRK.B")


@pytest.mark.parametrize("text", ["", "cut", "cut:", "cut=2", "cut=-1", "cut=x", "fire=0.1"])
def test_other_texts_are_refused(text):
    """Unknown kinds, odd shares and missing symbols are errors."""
    with pytest.raises(ValueError, match=r"fault|share|SYMBOL|float"):
        parse_fault(text)


def test_a_share_hits_its_share_in_any_order():
    """The choice depends on symbol and attempt, not on what was asked before."""
    symbols = [f"S{n}" for n in range(2000)]
    forward, backward = (FaultPlan([parse_fault("cut=0.1")], seed=1) for _ in range(2))
    hit = {symbol: forward.choose(symbol) for symbol in symbols}
    assert hit == {symbol: backward.choose(symbol) for symbol in reversed(symbols)}
    assert 150 < sum(kind == "cut" for kind in hit.values()) < 250
    assert hit != {symbol: forward.choose(symbol) for symbol in symbols}


def test_a_symbol_gets_its_fault_every_time():
    """And others get none."""
    plan = FaultPlan([parse_fault("stall:AAA")], seed=1)
    assert [plan.choose("AAA"), plan.choose("AAA"), plan.choose("AAB")] == ["stall", "stall", None]


@pytest.mark.parametrize("kind", DATA_FAULTS)
@pytest.mark.parametrize("payload", [PAYLOAD, {"resultsCount": 0, "count": 0}])
def test_data_faults_change_a_copy(kind, payload):
    """The true answer, which is cached, stays true; an empty one survives."""
    before = repr(payload)
    changed = DATA_FAULTS[kind](payload)
    assert repr(payload) == before
    assert payload is not PAYLOAD or changed != payload
