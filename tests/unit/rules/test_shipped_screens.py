"""The shipped screens as of many sessions, on real bars where they are: by hand, and looking ahead.

By hand is the slow reference, symbol by symbol; SCANNER_TEST_ALL=1 asks it for every symbol.
"""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest
from indicator_samples import BARS_FILE, random_series, real_series
from slow_rules import Bars, Symbol, value

from scanner.bars.block import FIELDS, stack
from scanner.indicators.compute import compute
from scanner.rules.cross_section import inputs
from scanner.rules.evaluate import evaluate
from scanner.rules.outcome import Rows
from scanner.rules.scope import Scope
from scanner.rules.screens import HIT, read_screens, shipped
from scanner.rules.tree import Constant, CrossSection, Series, is_condition, parts, walk
from scanner.rules.truth import Truth
from scanner.rules.verdicts import input_rows, inputs_as_values, inputs_of, verdict

SCREENS = read_screens(shipped()).good
NAMES = sorted(
    {
        x.name
        for screen in SCREENS
        for one in screen.asked
        for x in walk(one)
        if isinstance(x, Series)
    }
    - set(FIELDS)
)
ASKED = inputs_of(SCREENS)

#: Sessions that are looked at, and one symbol in how many the slow reference computes.
SESSIONS = 60
EVERY = 1 if os.environ.get("SCANNER_TEST_ALL") == "1" else 40


@pytest.fixture(scope="module", params=["made", "real"])
def market(request):
    """All series, and the newest sessions of them."""
    if request.param == "made":
        series = [random_series(seed, bars) for seed, bars in enumerate([300, 290, 280, 60, 3] * 6)]
        series = [dataclasses.replace(one, symbol=f"M{at}") for at, one in enumerate(series)]
    elif BARS_FILE.exists():
        series = real_series()
    else:
        pytest.skip("no file of real bars; SCANNER_TEST_BARS names one")
    sessions = np.unique(np.concatenate([one.sessions for one in series]))
    return series, sessions[-SESSIONS:].tolist()


def blocks(series):
    """Yield the series block by block, as a scan does."""
    for start in range(0, len(series), 256):
        yield series[start : start + 256]


def outcomes_as_of(series, session):
    """Return screen -> symbol -> outcome of a scan as of `session`, which sees nothing later."""
    cut = [one.between(0, session) for one in series]
    rows = [one for one in cut if len(one) and one.sessions[-1] == session]
    asked = []
    for part in blocks(rows):
        asked += input_rows(Scope(block=stack(part), compute=compute), SCREENS)
    return decided([one.symbol for one in rows], [len(one) for one in rows], asked)


def decided(symbols, bars, asked):
    """Return screen -> symbol -> outcome, of what was asked of each row."""
    rows = Rows(symbols=symbols, bars=bars, known=inputs_as_values(asked, ASKED))
    return {
        screen.name: dict(zip(symbols, verdict(screen, rows).outcomes, strict=True))
        for screen in SCREENS
    }


def slow_symbol(series):
    """Return what the slow reference takes of a symbol: its own bars, and its own columns."""
    columns = compute(stack([series]), NAMES)
    return Symbol(
        bars=Bars(
            sessions=series.sessions.tolist(),
            fields=dict(zip(FIELDS, series.values.tolist(), strict=True)),
        ),
        columns={name: array[0].tolist() for name, array in columns.items()},
    )


def place_of(number, numbers):
    """Return the percentile by counting; equals share the mean of their places."""
    below = sum(one < number for one in numbers)
    equal = sum(one == number for one in numbers)
    return (below + (equal + 1) / 2) / len(numbers)


def with_places(x, places):
    """Return an expression whose ranks are the numbers that they are for one row."""
    if isinstance(x, CrossSection):
        return Constant(value=places[x])
    changed = {
        one.name: tuple(with_places(part, places) for part in found)
        if isinstance(found := getattr(x, one.name), tuple)
        else with_places(found, places)
        for one in dataclasses.fields(x)
        if (found := getattr(x, one.name)) in set(parts(x)) or isinstance(found, tuple)
    }
    return dataclasses.replace(x, **changed)


def slow_hit(screen, symbol, at, places):
    """Return whether a screen keeps a symbol at its bar `at`: every filter and term is true."""
    rules = [*screen.universe.values(), screen.where]
    conditions = (term.condition for rule in rules for term in rule.terms)
    return all(value(symbol, with_places(x, places), at) is True for x in conditions)


def test_hits_are_those_of_the_slow_reference(market):
    """Each screen as of each of the last 60 sessions, hit by hit, no disagreement."""
    series, sessions = market
    ranked = {
        x for one in SCREENS for y in one.asked for x in walk(y) if isinstance(x, CrossSection)
    }
    slow = {one.symbol: slow_symbol(one) for one in series}
    at = {one.symbol: {day: i for i, day in enumerate(one.sessions.tolist())} for one in series}
    chosen = [one.symbol for one in series[:: EVERY if len(series) > 100 else 1]]
    compared = hits = 0
    for session in sessions:
        found = outcomes_as_of(series, session)
        numbers = {
            x: {s: value(slow[s], x.x, at[s][session]) for s in at if session in at[s]}
            for x in ranked
        }
        known = {x: [n for n in of.values() if n is not None] for x, of in numbers.items()}
        for symbol in chosen:
            if session not in at[symbol]:
                continue
            places = {
                x: np.nan if of[symbol] is None else place_of(of[symbol], known[x])
                for x, of in numbers.items()
            }
            for screen in SCREENS:
                expected = slow_hit(screen, slow[symbol], at[symbol][session], places)
                got = found[screen.name][symbol] == HIT
                assert got == expected, (screen.name, symbol, session)
                compared, hits = compared + 1, hits + expected
    assert compared > 1000
    assert hits > 20


def test_no_screen_looks_ahead(market):
    """On all bars each screen says of 20 earlier sessions what it said when they were the last."""
    series, sessions = market
    back = SESSIONS + 20
    whole = []
    for part in blocks(series):
        values = evaluate(Scope(block=stack(part), compute=compute), inputs(ASKED), bars=back)
        whole += [{x: numbers_of(values[x])[row] for x in ASKED} for row in range(len(part))]
    for session in sessions[:: SESSIONS // 20]:
        symbols, bars, asked = [], [], []
        for one, known in zip(series, whole, strict=True):
            place = int(np.searchsorted(one.sessions, session))
            if place == len(one) or one.sessions[place] != session:
                continue
            lag = len(one) - 1 - place
            symbols.append(one.symbol)
            bars.append(place + 1)
            asked.append([known[x][back - 1 - lag] for x in ASKED])
        assert decided(symbols, bars, asked) == outcomes_as_of(series, session)


def numbers_of(found):
    """Return numbers, or 1, 0 and NaN for true, false and unknown."""
    if isinstance(found, Truth):
        return np.where(found.known, found.true, np.nan)
    return found


def test_every_term_is_a_condition():
    """And what is ranked by is a number."""
    for screen in SCREENS:
        assert all(is_condition(term.condition) for term in screen.where.terms)
        assert not is_condition(screen.rank_by)
