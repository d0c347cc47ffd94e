"""A rule over a whole market: blocks of bars come in, an outcome for each symbol goes out.

1. each block's symbols get what their own bars decide            (evaluate.py)
2. all rows together get what only they can: ranks and distances  (settle.py)
3. the terms of the rule become one outcome for each symbol       (outcome.py)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.bars.block import BarSeries, FloatArray, stack
from scanner.indicators.compute import compute
from scanner.rules.check import Rule
from scanner.rules.cross_section import inputs
from scanner.rules.evaluate import evaluate
from scanner.rules.outcome import outcomes
from scanner.rules.scope import Scope, number
from scanner.rules.settle import joined, settled
from scanner.rules.tree import CrossSection, Relative, Series, walk
from scanner.rules.wording import worded


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a rule made of a market; one of each for each symbol, in their order."""

    outcomes: list[str]
    #: Columns of the rule -> the symbol's last value, None where it is unknown.
    values: list[dict[str, float | None]]
    #: Ranked number -> how many rows it is known of.
    ranked_among: dict[str, int]


def benchmarks_of(rule: Rule) -> tuple[str, ...]:
    """Return the symbols that others are compared with."""
    found = (x.benchmark for x in walk(rule.condition) if isinstance(x, Relative))
    return tuple(dict.fromkeys(found))


def judge(
    rule: Rule,
    blocks: Sequence[Sequence[BarSeries]],
    texts: Mapping[str, Mapping[str, str]],
    benchmarks: Mapping[str, BarSeries],
) -> Judged:
    """Return the outcome of `rule` for every symbol of `blocks`, at its last bar.

    `texts`: `sector` and others -> symbol -> text; `benchmarks`: symbol -> its bars.
    """
    terms = [term.condition for term in rule.terms]
    columns = [x for x in dict.fromkeys(walk(rule.condition)) if isinstance(x, Series)]
    known = joined(
        [
            evaluate(
                Scope(block=stack(series), compute=compute, benchmarks=benchmarks),
                dict.fromkeys((*inputs(terms), *columns)),
            )
            for series in blocks
        ]
    )
    every = [one for series in blocks for one in series]
    symbols = [one.symbol for one in every]
    told = {name: [of.get(symbol) for symbol in symbols] for name, of in texts.items()}
    values = settled(symbols, known, terms, told)
    ranked = [x for x in dict.fromkeys(walk(rule.condition)) if isinstance(x, CrossSection)]
    numbers = settled(symbols, known, [x.x for x in ranked], told)
    return Judged(
        outcomes=outcomes(rule, values, [len(one) for one in every], tuple(benchmarks)),
        values=_rows({x.name: number(known[x]) for x in columns}, len(every)),
        ranked_among={worded(x): int(np.isfinite(number(numbers[x.x])).sum()) for x in ranked},
    )


def _rows(columns: Mapping[str, FloatArray], rows: int) -> list[dict[str, float | None]]:
    """Return for each row column -> its last value."""
    lists = {
        name: [None if np.isnan(one) else one for one in values[:, -1].tolist()]
        for name, values in columns.items()
    }
    return [{name: values[row] for name, values in lists.items()} for row in range(rows)]
