"""Screens over all rows: what each row's own bars decided comes in, a screen's verdict goes out."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.bars.block import FloatArray
from scanner.rules.check import Rule
from scanner.rules.cross_section import inputs
from scanner.rules.evaluate import evaluate
from scanner.rules.outcome import Rows, all_true, outcomes, terms_of
from scanner.rules.scope import Scope, Value, number
from scanner.rules.screens import HIT, Screen
from scanner.rules.settle import settled
from scanner.rules.tree import (
    CrossSection,
    Expression,
    OnTimeframe,
    Relative,
    is_condition,
    walk,
)
from scanner.rules.truth import Truth
from scanner.rules.wording import worded


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one screen made of all rows."""

    #: `hit`, `miss:<term>`, `unknown:<why>` or `filtered:<filter>` for each row.
    outcomes: list[str]
    #: A letter for each term of the rule, for each row: t is true, f false and u unknown.
    terms: list[str]
    #: Hit -> the number to rank by, where it is known; empty: by score.
    order: dict[str, float]
    #: Place among all rows, as in `rank(roc(63))` -> that of each row, None where it has none.
    places: dict[str, list[float | None]]
    #: The same -> how many rows have one.
    ranked_among: dict[str, int]


@functools.lru_cache(maxsize=16)
def inputs_of(screens: tuple[Screen, ...]) -> tuple[Expression, ...]:
    """Return what has to be known of each row before the screens can be decided."""
    return inputs(x for screen in screens for x in screen.asked)


def benchmarks_of(asked: Iterable[Expression]) -> tuple[str, ...]:
    """Return the symbols that others are compared with."""
    parts = (part for x in asked for part in walk(x))
    return tuple(dict.fromkeys(part.benchmark for part in parts if isinstance(part, Relative)))


def asks_what_is_finished(asked: Iterable[Expression]) -> bool:
    """Return whether one of `asked` is of finished weeks or months, which the calendar decides."""
    parts = (part for x in asked for part in walk(x))
    return any(isinstance(part, OnTimeframe) and part.finished for part in parts)


def input_rows(scope: Scope, screens: Sequence[Screen]) -> list[tuple[float | None, ...]]:
    """Return, for each symbol of a block, the last values of `inputs_of` the screens."""
    wanted = inputs_of(tuple(screens))
    if not wanted:
        return [()] * len(scope.block.symbols)
    values = evaluate(scope, wanted)
    return plain_numbers(np.stack([_as_numbers(values[x]) for x in wanted], axis=1))


def plain_numbers(table: FloatArray) -> list[tuple[float | None, ...]]:
    """Return the rows of a table, None where a number is not finite."""
    plain = table.tolist()
    for row, place in np.argwhere(~np.isfinite(table)).tolist():
        plain[row][place] = None
    return [tuple(row) for row in plain]


def _as_numbers(value: Value) -> FloatArray:
    """Return the last values as numbers: 1 is true, 0 is false."""
    if isinstance(value, Truth):
        return np.where(value.known, value.true, np.nan)[:, -1]
    return value[:, -1]


def inputs_as_values(
    rows: Sequence[Sequence[float | None]], wanted: Sequence[Expression]
) -> dict[Expression, Value]:
    """Return the values of `wanted`, (rows, 1), of each row's numbers in that order."""
    nothing = (None,) * len(wanted)
    whole = [values if len(values) == len(wanted) else nothing for values in rows]
    table = np.array(whole, dtype=np.float64).reshape(len(rows), len(wanted))
    known: dict[Expression, Value] = {}
    for at, x in enumerate(wanted):
        column = table[:, at : at + 1]
        known[x] = Truth(true=column == 1.0, false=column == 0.0) if is_condition(x) else column
    return known


def verdict(screen: Screen, rows: Rows) -> Verdict:
    """Return what `screen` makes of `rows`."""
    parts = dict.fromkeys(part for x in screen.asked for part in walk(x))
    placed = [part for part in parts if isinstance(part, CrossSection)]
    values = settled(rows.symbols, rows.known, (*screen.asked, *placed), rows.texts)
    found = [HIT] * len(rows.symbols)
    if screen.where is not None:
        found = outcomes(screen.where, values, rows)
    _filter(screen, values, rows, found)
    return Verdict(
        terms=terms_of(screen.where, values) if screen.where else [""] * len(rows.symbols),
        outcomes=found,
        order=_order(screen, rows, values, found),
        places=(places := {worded(x): _numbers(values[x]) for x in placed}),
        ranked_among={x: len(of) - of.count(None) for x, of in places.items()},
    )


def _filter(
    screen: Screen, values: Mapping[Expression, Value], rows: Rows, found: list[str]
) -> None:
    """Put into `found` which rows the screen's universe leaves out, whatever else is unknown."""
    filtered: dict[int, str] = {}
    for name, rule in screen.universe.items():
        for at, one in _not_passed(rule, values, rows).items():
            if one.startswith("miss:"):
                filtered.setdefault(at, f"filtered:{name}")
            elif found[at] == HIT:
                found[at] = one
    young: list[int] = []
    if screen.history:
        young = np.flatnonzero(np.asarray(rows.bars) < screen.history).tolist()
    for at, one in (filtered | dict.fromkeys(young, "filtered:history")).items():
        found[at] = one


def _not_passed(rule: Rule, values: Mapping[Expression, Value], rows: Rows) -> dict[int, str]:
    """Return the outcome of each row that a filter does not let through."""
    places = np.flatnonzero(~all_true(rule, values))
    if not places.size:
        return {}
    terms = {term.condition: values[term.condition] for term in rule.terms}
    these: dict[Expression, Value] = {
        x: one.of(places) for x, one in terms.items() if isinstance(one, Truth)
    }
    chosen = places.tolist()
    return dict(zip(chosen, outcomes(rule, these, rows.some(chosen)), strict=True))


def _order(
    screen: Screen, rows: Rows, values: Mapping[Expression, Value], found: Sequence[str]
) -> dict[str, float]:
    """Return the number to rank by of each hit that has it."""
    if screen.rank_by is None:
        return {}
    numbers = number(values[screen.rank_by])[:, -1]
    hits = [at for at, one in enumerate(found) if one == HIT]
    known = zip(hits, numbers[hits].tolist(), strict=True)
    return {rows.symbols[at]: one for at, one in known if not math.isnan(one)}


def _numbers(value: Value) -> list[float | None]:
    """Return the last numbers, None where one is unknown."""
    return [one for (one,) in plain_numbers(number(value)[:, -1:])]
