"""The verdict of a rule: the truth of its terms comes in, one outcome for each row goes out.

`hit`, `miss:<first false term>` or `unknown:<why>`: what is unknown is neither kept nor dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from scanner.bars.block import BoolArray
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
    truths = [_truth(term, values) for term in rule.terms]
    false = np.stack([truth.false[:, -1] for truth in truths], axis=1)
    missed = false.any(axis=1)
    said = [HIT, *(f"miss:{term.text}" for term in rule.terms)]
    found = [said[at] for at in np.where(missed, false.argmax(axis=1) + 1, 0).tolist()]
    unknown = np.stack([~truth.known[:, -1] for truth in truths], axis=1)
    reasons = [_Reason(term, benchmarks) for term in rule.terms]
    for row in np.flatnonzero(unknown.any(axis=1) & ~missed).tolist():
        found[row] = f"unknown:{reasons[int(unknown[row].argmax())].of(bars[row])}"
    return found


def all_true(rule: Rule, values: Mapping[Expression, Value]) -> BoolArray:
    """Return for which rows every term is true."""
    truths = [_truth(term, values) for term in rule.terms]
    found: BoolArray = np.logical_and.reduce([one.true[:, -1] for one in truths])
    return found


def terms_of(rule: Rule, values: Mapping[Expression, Value]) -> list[str]:
    """Return for each row a letter for each term: t is true, f false and u unknown."""
    truths = [_truth(term, values) for term in rule.terms]
    letters = [
        np.where(one.true[:, -1], b"t", np.where(one.false[:, -1], b"f", b"u")) for one in truths
    ]
    words = np.stack(letters, axis=1).view(f"S{len(letters)}")[:, 0]
    said: list[str] = words.astype(str).tolist()
    return said


def _truth(term: Term, values: Mapping[Expression, Value]) -> Truth:
    truth = values[term.condition]
    if not isinstance(truth, Truth):
        raise TypeError(f"expected the truth of {term.text}, got numbers")
    return truth


class _Reason:
    """Why a term is unknown."""

    def __init__(self, term: Term, benchmarks: Sequence[str]) -> None:
        parts = list(walk(term.condition))
        asked = [part.benchmark for part in parts if isinstance(part, Relative)]
        self.without = next((name for name in asked if name not in benchmarks), None)
        self.needed = bars_needed(term.condition)
        self.text = next(filter(None, map(_text_of, parts)), None)

    def of(self, bars: int) -> str:
        """Return the reason for a row of so many bars."""
        if self.without is not None:
            return f"no_benchmark {self.without}"
        if bars < self.needed:
            return "insufficient_history"
        return f"no_{self.text}" if self.text else "undefined"


def _text_of(part: Expression) -> str:
    """Return the text of the universe that a part asks for, or nothing."""
    match part:
        case Membership(field=name) | CrossSection(by=name):
            return name
    return ""
