"""The verdict of a rule: the truth of its terms comes in, one outcome for each row goes out.

`hit`, `miss:<first false term>` or `unknown:<why>`: what is unknown is neither kept nor dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scanner.rules.check import Rule, Term
from scanner.rules.needs import bars_needed
from scanner.rules.scope import Value
from scanner.rules.screens import HIT
from scanner.rules.tree import (
    CrossSection,
    Expression,
    Membership,
    Relative,
    walk,
)
from scanner.rules.truth import Truth


def outcomes(
    rule: Rule,
    values: Mapping[Expression, Value],
    bars: Sequence[int],
    benchmarks: Sequence[str] = (),
) -> list[str]:
    """Return the outcome of `rule` for each row, by the last value of each of its terms.

    `values`: the truth of each term, (rows, 1); `bars`: how many bars each row has;
    `benchmarks`: those of which there are bars.
    """
    found = [HIT] * len(bars)
    for row, at in _first(rule, values, unknown=True):
        found[row] = f"unknown:{_why(rule.terms[at], bars[row], benchmarks)}"
    for row, at in _first(rule, values, unknown=False):
        found[row] = f"miss:{rule.terms[at].text}"
    return found


def _first(
    rule: Rule, values: Mapping[Expression, Value], *, unknown: bool
) -> list[tuple[int, int]]:
    """Return (row, place of the first term that is unknown, or false) where there is one."""
    columns = []
    for term in rule.terms:
        truth = values[term.condition]
        if not isinstance(truth, Truth):
            raise TypeError(f"expected the truth of {term.text}, got numbers")
        columns.append(~truth.known[:, -1] if unknown else truth.false[:, -1])
    flags = np.stack(columns, axis=1)
    rows = np.flatnonzero(flags.any(axis=1))
    return list(zip(rows.tolist(), flags[rows].argmax(axis=1).tolist(), strict=True))


def _why(term: Term, bars: int, benchmarks: Sequence[str]) -> str:
    """Return why a term is unknown for a row of `bars` bars."""
    for part in walk(term.condition):
        if isinstance(part, Relative) and part.benchmark not in benchmarks:
            return f"no_benchmark {part.benchmark}"
    if bars < bars_needed(term.condition):
        return "insufficient_history"
    for part in walk(term.condition):
        if isinstance(part, Membership):
            return f"no_{part.field}"
        if isinstance(part, CrossSection) and part.by:
            return f"no_{part.by}"
    return "undefined"
