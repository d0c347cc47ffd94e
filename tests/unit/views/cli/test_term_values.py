"""The numbers that `scan why` shows behind a term."""

from __future__ import annotations

import dataclasses

from scan_builders import facts, row, series

from scanner.bars.block import stack
from scanner.indicators.compute import compute
from scanner.results.aggregate import aggregate
from scanner.rules.scope import Scope
from scanner.rules.screens import read_screens
from scanner.rules.verdicts import input_rows
from views.cli.term_values import term_values, term_warming

TEXT = """
[one]
description = "x"
where = '''
close > sma(20) and rank(close) > 0.5 and within(2, close > open) and type is null
and rank(close) / 2 + close > 0
'''
"""


def report_of(bars, screens):
    """Return the report of two symbols in a scan with `screens`."""
    scope = Scope(block=stack(list(bars.values())), compute=compute)
    asked = input_rows(scope, screens)
    rows = [row(symbol, inputs=inputs) for symbol, inputs in zip(bars, asked, strict=True)]
    return aggregate(facts(), rows, screens, {})


def test_a_term_shows_the_numbers_that_it_compares():
    """By the symbol's own bars, and its place among all rows; not what looks at other bars."""
    bars = {symbol: series(symbol, 60, seed=at) for at, symbol in enumerate(("AAA", "BBB"))}
    report = report_of(bars, read_screens(TEXT).good)
    found = report.find("AAA")
    values = term_values(report, found, bars)
    close = bars["AAA"].values[3]
    first = values["close > sma(20)"]
    assert first["close"] == close[-1]
    assert abs(first["sma(20)"] - close[-20:].mean()) < 1e-9
    assert values["rank(close) > 0.5"] == {"rank(close)": found.row.places["rank(close)"]}
    assert values["within(2, close > open)"] == {}
    assert values["type is null"] == {}
    place = found.row.places["rank(close)"]
    assert values["rank(close) / 2 + close > 0"] == {
        "((rank(close) / 2) + close)": place / 2 + close[-1]
    }


def test_without_its_bars_a_term_shows_what_the_report_knows():
    """Cached bars are gone after some hours, the report is not."""
    bars = {symbol: series(symbol, 60, seed=at) for at, symbol in enumerate(("AAA", "BBB"))}
    report = report_of(bars, read_screens(TEXT).good)
    values = term_values(report, report.find("BBB"), {})
    assert values["close > sma(20)"] == {}
    assert set(values["rank(close) > 0.5"]) == {"rank(close)"}


def test_a_term_names_what_more_history_would_change():
    """And one of another version of the language names nothing."""
    found = aggregate(facts(), [dataclasses.replace(row("AAA"), bars=60)], [], {}).find("AAA")
    assert term_warming(found, ["rsi(14) < 30", "sma(20) > 1", "was(once)"]) == {
        "rsi(14) < 30": ("rsi_14",),
        "sma(20) > 1": (),
        "was(once)": (),
    }
