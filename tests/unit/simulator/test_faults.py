"""Faults of the simulator: how they are written and whom they hit."""

from __future__ import annotations

import pytest

from simulator.faults import DATA_FAULTS, Fault, FaultPlan, parse_fault

ROWS = [{"c": n, "l": n, "t": n} for n in (1, 2, 3)]
PAYLOAD = {"results": ROWS, "resultsCount": 3, "count": 3}
SPLITS = {"results": [{"split_from": 1, "split_to": n} for n in (2, 3, 4)], "status": "OK"}
SNAPSHOT = {"tickers": [{"day": {"c": n, "l": n}} for n in (1, 2, 3)], "count": 3}


def test_a_fault_is_written_for_a_share_or_for_a_subject():
    """Both forms are read."""
    assert parse_fault("cut=0.25") == Fault(kind="cut", share=0.25)
    assert parse_fault("nan_bars:BRK.B") == Fault(kind="nan_bars", subject="BRK.B")
    day = Fault(kind="status500", subject="2025-01-06")
    assert parse_fault("status500:2025-01-06") == day


@pytest.mark.parametrize("text", ["", "cut", "cut:", "cut=2", "cut=-1", "cut=x", "fire=0.1"])
def test_other_texts_are_refused(text):
    """Unknown kinds, odd shares and missing subjects are errors."""
    with pytest.raises(ValueError, match=r"fault|share|SUBJECT|float"):
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
@pytest.mark.parametrize(
    "payload", [PAYLOAD, SPLITS, SNAPSHOT, {"resultsCount": 0, "count": 0}, {"tickers": []}]
)
def test_data_faults_change_a_copy(kind, payload):
    """The true answer, which is cached, stays true; an empty one survives."""
    before = repr(payload)
    changed = DATA_FAULTS[kind](payload)
    assert repr(payload) == before
    assert payload not in (PAYLOAD, SPLITS, SNAPSHOT) or changed != payload


@pytest.mark.parametrize("payload", [PAYLOAD, SPLITS, SNAPSHOT])
def test_data_faults_know_the_rows_of_each_answer(payload):
    """Bars and splits are results, a snapshot has tickers with a day each."""
    name = "tickers" if payload is SNAPSHOT else "results"
    assert DATA_FAULTS["null_results"](payload)[name] is None
    assert name not in DATA_FAULTS["missing_results"](payload)
    twice = DATA_FAULTS["duplicate_bars"](payload)
    assert twice[name] == [*payload[name], payload[name][-1]]
    assert twice.get("count", 4) == 4
    assert set(twice) == set(payload)
    for kind in ("nan_bars", "negative_bars"):
        middle = DATA_FAULTS[kind](payload)[name][1]
        numbers = middle.get("day", middle).values()
        assert any(number is None or number < 0 for number in numbers), kind
