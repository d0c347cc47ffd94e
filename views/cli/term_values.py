"""The numbers behind the terms of screens: a row and its bars come in, term -> numbers go out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from scanner.bars.block import BarSeries, stack
from scanner.errors import ExpressionError
from scanner.indicators.compute import compute
from scanner.results.report import RankedRow, ScanReport
from scanner.rules.check import compile_rule
from scanner.rules.evaluate import evaluate
from scanner.rules.needs import warming
from scanner.rules.scope import Scope, Value, number
from scanner.rules.tree import (
    Comparison,
    Condition,
    Constant,
    CrossSection,
    Expression,
    Logic,
    Membership,
    walk,
)
from scanner.rules.wording import worded
from views.cli.cached_bars import calendar_for


def term_values(
    report: ScanReport, found: RankedRow, bars: Mapping[str, BarSeries]
) -> dict[str, dict[str, float | None]]:
    """Return for each term the numbers that it compares at the row's last bar.

    `bars`: those of the row's symbol and of benchmarks, as far as they are at hand. What looks at
    more than the last bar, as `within` does, compares no numbers there.
    """
    terms = [term for name in found.row.terms for term in report.screens[name].terms]
    asked = {term: list(_numbers(term)) for term in terms}
    every = [x for numbers in asked.values() for x in numbers]
    places = _places(every, found)
    known: dict[Expression, float | None] = {}
    series = bars.get(found.row.symbol)
    if series is not None:
        own = [x for x in every if _told(x, places)]
        scope = Scope(
            block=stack([series]),
            compute=compute,
            benchmarks=bars,
            calendar=np.array(calendar_for(report, own), dtype=np.int32),
        )
        values = evaluate(scope, dict.fromkeys(own), given=places)
        known = {x: _plain(float(number(value)[0, -1])) for x, value in values.items()}
    return {
        term: {
            worded(x): found.row.places.get(worded(x), known.get(x))
            for x in numbers
            if x in known or x in places
        }
        for term, numbers in asked.items()
    }


def _numbers(term: str) -> Iterator[Expression]:
    """Yield the numbers that a term compares, but for those that are written out."""
    condition = _condition(term)
    for comparison in _comparisons(condition) if condition else ():
        for side in (comparison.left, comparison.right):
            if not isinstance(side, Constant):
                yield side


def _condition(term: str) -> Condition | None:
    """Return what a term means, None if it is of another version of the language."""
    try:
        return compile_rule(term).condition
    except ExpressionError:
        return None


def _comparisons(condition: Condition) -> Iterator[Comparison]:
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Logic):
        for one in condition.args:
            yield from _comparisons(one)


def _places(numbers: Iterable[Expression], found: RankedRow) -> dict[Expression, Value]:
    """Return the places among all rows that `numbers` rest on, as the scan found them."""
    known: dict[Expression, Value] = {}
    for part in (part for x in numbers for part in walk(x)):
        if isinstance(part, CrossSection) and worded(part) in found.row.places:
            place = found.row.places[worded(part)]
            known[part] = np.array([[np.nan if place is None else place]])
    return known


def _told(x: Expression, places: Mapping[Expression, Value]) -> bool:
    """Return whether the symbol's bars and its places tell `x`."""
    return all(part in places for part in walk(x) if isinstance(part, CrossSection | Membership))


def term_warming(found: RankedRow, terms: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each term the columns that more bars of history would change."""
    rules = {term: _condition(term) for term in terms}
    return {term: warming(x, found.row.bars) if x else () for term, x in rules.items()}


def _plain(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 - NaN is not itself
