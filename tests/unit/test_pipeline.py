"""A batch from symbols to records: one row or one absence each, and errors cost only their own."""

from __future__ import annotations

import numpy as np
import pytest
from scan_builders import COLUMNS, LAST, REQUEST, ScriptedProvider, series, tools

from scanner.bars.cache import MemoryBarCache
from scanner.errors import (
    BadBars,
    ConfigError,
    InvalidSymbol,
    KeyRefused,
    NotEntitled,
    ProviderPaused,
    ProviderUnavailable,
    RateLimited,
    UnknownSymbol,
)
from scanner.indicators.compute import KernelEngine
from scanner.pipeline import BAR_COLUMNS, absence_of, scan_batch
from scanner.results.report import Absence, Row

SYMBOLS = [f"S{n}" for n in range(8)]
OTHERS = {symbol: series(symbol, 300, seed=n) for n, symbol in enumerate(SYMBOLS)}

#: Error -> state of its symbol, and whether another try is of no use.
STATES = {
    RateLimited("slow", wait=9.0): ("deferred:budget", False),
    ProviderUnavailable("down"): ("error:ProviderUnavailable", False),
    ProviderPaused("left alone", wait=9.0): ("deferred:provider", False),
    UnknownSymbol("what?"): ("no_data:unknown_symbol", True),
    InvalidSymbol("no"): ("error:InvalidSymbol", True),
    NotEntitled("pay"): ("error:NotEntitled", True),
    BadBars("crossed"): ("error:BadBars", True),
}


class FussyEngine(KernelEngine):
    """Computes like the kernels, but raises where a symbol is in the block."""

    def __init__(self, *symbols, error=ZeroDivisionError):
        self.symbols = frozenset(symbols)
        self.error = error
        self.blocks = []

    def compute(self, block, columns):
        """Raise where one of the symbols is there."""
        self.blocks.append(block.symbols)
        if self.symbols & set(block.symbols):
            raise self.error("cannot compute")
        return super().compute(block, columns)


def records_of(symbols, provider, **options):
    """Return the records of a batch by symbol; each symbol has exactly one."""
    records = scan_batch(symbols, REQUEST, tools(provider, **options)).records
    assert sorted(one.symbol for one in records) == sorted(symbols)
    return {one.symbol: one for one in records}


def test_each_symbol_with_bars_becomes_a_row():
    """With the last bar and the last value of each column."""
    rows = records_of(SYMBOLS, ScriptedProvider(OTHERS))
    for symbol, bars in OTHERS.items():
        row = rows[symbol]
        assert (row.session, row.bars, row.outcomes) == (LAST, 300, {})
        named = dict(zip((*BAR_COLUMNS, *COLUMNS), row.values, strict=True))
        assert [named[name] for name in BAR_COLUMNS] == bars.values[:, -1].tolist()
        close = bars.values[3]
        assert named["sma_5"] == pytest.approx(close[-5:].mean())
        assert named["return_1"] == pytest.approx(close[-1] / close[-2] - 1.0)


def test_a_row_is_the_same_in_a_block_and_alone():
    """So that the size of a batch changes no result."""
    together = records_of(SYMBOLS, ScriptedProvider(OTHERS))
    for symbol in SYMBOLS:
        assert records_of([symbol], ScriptedProvider(OTHERS))[symbol] == together[symbol]


def test_a_value_that_does_not_exist_is_none():
    """Never NaN, which JSON does not know."""
    values = records_of(["AAA"], ScriptedProvider({"AAA": series(bars=6)}))["AAA"].values
    named = dict(zip((*BAR_COLUMNS, *COLUMNS), values, strict=True))
    assert named["distance_sma_200"] is None
    assert named["sma_5"] is not None
    assert all(value is None or type(value) is float for value in values)


@pytest.mark.parametrize("error", STATES, ids=lambda error: type(error).__name__)
def test_an_error_of_the_provider_costs_one_symbol_only(error):
    """It stands in the ledger under its state, with its message."""
    provider = ScriptedProvider(OTHERS | {"BAD": error})
    records = records_of([*SYMBOLS, "BAD"], provider)
    state, final = STATES[error]
    assert records["BAD"] == Absence(symbol="BAD", state=state, reason=str(error), final=final)
    assert all(isinstance(records[symbol], Row) for symbol in SYMBOLS)


def test_a_refused_budget_gives_the_rest_of_the_batch_back():
    """Deferred, not failed; what came before has its rows."""
    answers = OTHERS | {"S3": RateLimited("slow", wait=9.0)}
    records = records_of(SYMBOLS, ScriptedProvider(answers))
    given_back = [s for s in SYMBOLS if isinstance(records[s], Absence)]
    assert given_back == SYMBOLS[3:]
    assert {records[s].state for s in given_back} == {"deferred:budget"}
    assert not any(records[s].final for s in given_back)


@pytest.mark.parametrize("error", [KeyRefused("no key"), ConfigError("change it")])
def test_what_the_user_has_to_change_stops_the_batch(error):
    """No row would be right."""
    with pytest.raises(type(error)):
        records_of(SYMBOLS, ScriptedProvider(OTHERS | {"S3": error}))


def test_a_symbol_without_bars_says_so():
    """With the span that was asked for."""
    record = records_of(["AAA"], ScriptedProvider({"AAA": series(bars=0)}))["AAA"]
    assert record.state == "no_data:no_bars"
    assert "2024-06-05 and 2025-07-09" in record.reason
    assert record.final


def test_a_symbol_whose_last_bar_is_older_is_stale():
    """By one day, and with both dates."""
    record = records_of(["AAA"], ScriptedProvider({"AAA": series(last=LAST - 1)}))["AAA"]
    assert record.state == "stale"
    assert "2025-07-08" in record.reason
    assert "2025-07-09" in record.reason


@pytest.mark.parametrize(("bars", "enough"), [(4, False), (5, True)])
def test_a_symbol_with_too_few_bars_is_insufficient(bars, enough):
    """The limit itself is enough."""
    provider = ScriptedProvider({"AAA": series(bars=bars)})
    record = records_of(["AAA"], provider, min_bars=5)["AAA"]
    assert isinstance(record, Row) is enough
    assert enough or (record.state, record.final) == ("insufficient_history", True)


def test_a_stale_symbol_with_few_bars_is_stale():
    """The older fault is named first."""
    provider = ScriptedProvider({"AAA": series(bars=1, last=LAST - 3)})
    assert records_of(["AAA"], provider)["AAA"].state == "stale"


@pytest.mark.parametrize("error", [ZeroDivisionError, ValueError, MemoryError, FloatingPointError])
def test_a_block_that_raises_costs_only_the_symbol_that_raised(error):
    """The others are computed again, one by one."""
    engine = FussyEngine("S2", "S5", error=error)
    records = records_of(SYMBOLS, ScriptedProvider(OTHERS), engine=engine)
    plain = records_of(SYMBOLS, ScriptedProvider(OTHERS))
    for symbol in ("S2", "S5"):
        assert records[symbol].state == f"error:{error.__name__}"
        assert records[symbol].final
    assert {s: r for s, r in records.items() if isinstance(r, Row)} == {
        s: r for s, r in plain.items() if s not in {"S2", "S5"}
    }
    assert engine.blocks == [tuple(SYMBOLS), *((symbol,) for symbol in SYMBOLS)]


def test_a_block_that_does_not_raise_is_computed_once():
    """The usual case costs one call."""
    engine = FussyEngine()
    records_of(SYMBOLS, ScriptedProvider(OTHERS), engine=engine)
    assert engine.blocks == [tuple(SYMBOLS)]


def test_a_batch_says_what_it_took_and_where_its_bars_came_from():
    """Seconds of each stage, and symbols by origin."""
    cache, provider = MemoryBarCache(), ScriptedProvider(OTHERS)
    scan_batch(["S0"], REQUEST, tools(provider, cache=cache))
    result = scan_batch(SYMBOLS, REQUEST, tools(provider, cache=cache))
    assert set(result.seconds) == {"bars", "indicators", "decide", "rows"}
    assert all(spent >= 0.0 for spent in result.seconds.values())
    assert result.bars == {"hit": 1, "absent": 7, "fetched": 7}


def test_a_batch_of_nothing_has_no_records():
    """And asks nobody."""
    provider = ScriptedProvider()
    assert scan_batch([], REQUEST, tools(provider)).records == []
    assert provider.asked == []


def test_a_long_message_is_cut():
    """A page of HTML does not go into every record."""
    assert len(absence_of("AAA", BadBars("x" * 10_000)).reason) == 500


def test_infinite_values_are_none_too():
    """A quotient by zero is no number for a table."""

    class Infinite(KernelEngine):
        def compute(self, block, columns):
            return {name: np.full(block.close.shape, np.inf) for name in columns}

    provider = ScriptedProvider({"AAA": series()})
    values = records_of(["AAA"], provider, engine=Infinite())["AAA"].values
    assert values[len(BAR_COLUMNS) :] == (None,) * len(COLUMNS)


def test_a_surprise_while_loading_costs_only_its_symbol():
    """An error that nobody foresaw is one symbol's state; the others have their rows."""
    provider = ScriptedProvider(OTHERS | {"BAD": RuntimeError("surprise")})
    records = records_of([*SYMBOLS, "BAD"], provider)
    assert records["BAD"].state == "error:RuntimeError"
    assert all(isinstance(records[symbol], Row) for symbol in SYMBOLS)
