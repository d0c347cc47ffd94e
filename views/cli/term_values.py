"""The numbers behind the terms of screens: a row and its bars come in, term -> numbers go out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from scanner.bars.block import BarSeries, stack
from scanner.errors import ExpressionError
from scanner.indicators.compute import compute
from scanner.results.report import RankedRow, ScanReport
from scanner.rules.check import compile_rule
from scanner.rules.evaluate import evaluate
from scanner.rules.scope import Scope, number
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
    known: dict[Expression, float | None] = {}
    series = bars.get(found.row.symbol)
    own = [x for numbers in asked.values() for x in numbers if not _of_all_rows(x)]
    if series is not None:
        scope = Scope(
            block=stack([series]),
            compute=compute,
            benchmarks=bars,
            calendar=np.array(calendar_for(report, own), dtype=np.int32),
        )
        values = evaluate(scope, dict.fromkeys(own))
        known = {x: _plain(float(number(value)[0, -1])) for x, value in values.items()}
    return {
        term: {
            worded(x): found.row.places.get(worded(x), known.get(x))
            for x in numbers
            if x in known or worded(x) in found.row.places
        }
        for term, numbers in asked.items()
    }


def _numbers(term: str) -> Iterator[Expression]:
    """Yield the numbers that a term compares, but for those that are written out."""
    try:
        condition = compile_rule(term).condition
    except ExpressionError:  # of another version of the language
        return
    for comparison in _comparisons(condition):
        for side in (comparison.left, comparison.right):
            if not isinstance(side, Constant):
                yield side


def _comparisons(condition: Condition) -> Iterator[Comparison]:
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Logic):
        for one in condition.args:
            yield from _comparisons(one)


def _of_all_rows(x: Expression) -> bool:
    return any(isinstance(part, CrossSection | Membership) for part in walk(x))


def _plain(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 - NaN is not itself
