"""The verdict of a rule: the truth of its terms comes in, one outcome for each row goes out.

`hit`, `miss:<first false term>` or `unknown:<why>`: what is unknown is neither kept nor dropped.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from operator import add
from typing import Final

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

#: Terms whose letters are looked up as one word.
_TERMS_A_WORD: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All rows of a scan, in one order."""

    symbols: Sequence[str]
    #: Bars of each.
    bars: Sequence[int]
    #: `inputs_of` the screens -> value of each row, (rows, 1).
    known: Mapping[Expression, Value]
    #: `sector` and others -> text of each row, None where there is none.
    texts: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    #: Benchmarks of which there are bars.
    benchmarks: Sequence[str] = ()

    def some(self, places: Sequence[int]) -> Rows:
        """Return the rows at `places`, of which nothing is asked any more."""
        return Rows(
            symbols=[self.symbols[at] for at in places],
            bars=[self.bars[at] for at in places],
            known={},
            texts={name: [of[at] for at in places] for name, of in self.texts.items()},
            benchmarks=self.benchmarks,
        )


def outcomes(rule: Rule, values: Mapping[Expression, Value], rows: Rows) -> list[str]:
    """Return the outcome of `rule` for each row, by the last value of each of its terms.

    `values`: the truth of each term, (rows, 1).
    """
    truths = [_truth(term, values) for term in rule.terms]
    false = np.stack([truth.false[:, -1] for truth in truths], axis=1)
    missed = false.any(axis=1)
    said = np.array([HIT, *(f"miss:{term.text}" for term in rule.terms)], dtype=object)
    found: list[str] = said[np.where(missed, false.argmax(axis=1) + 1, 0)].tolist()
    unknown = np.stack([~truth.known[:, -1] for truth in truths], axis=1)
    reasons = [_Reason(term, rows) for term in rule.terms]
    for row in np.flatnonzero(unknown.any(axis=1) & ~missed).tolist():
        found[row] = f"unknown:{reasons[int(unknown[row].argmax())].of(row)}"
    return found


def all_true(rule: Rule, values: Mapping[Expression, Value]) -> BoolArray:
    """Return for which rows every term is true."""
    truths = [_truth(term, values) for term in rule.terms]
    found: BoolArray = np.logical_and.reduce([one.true[:, -1] for one in truths])
    return found


def terms_of(rule: Rule, values: Mapping[Expression, Value]) -> list[str]:
    """Return for each row a letter for each term: t is true, f false and u unknown."""
    truths = [_truth(term, values) for term in rule.terms]
    said: list[str] | None = None
    for start in range(0, len(truths), _TERMS_A_WORD):
        part = truths[start : start + _TERMS_A_WORD]
        codes = np.zeros(len(part[0].true), dtype=np.int64)
        for truth in part:
            codes = 3 * codes + np.where(truth.true[:, -1], 0, np.where(truth.false[:, -1], 1, 2))
        words: list[str] = _words(len(part))[codes].tolist()
        said = words if said is None else list(map(add, said, words))
    return said or []


@functools.cache
def _words(letters: int) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Return all words of so many letters, in the order of their codes."""
    return np.array(["".join(word) for word in product("tfu", repeat=letters)], dtype=object)


def _truth(term: Term, values: Mapping[Expression, Value]) -> Truth:
    truth = values[term.condition]
    if not isinstance(truth, Truth):
        raise TypeError(f"expected the truth of {term.text}, got numbers")
    return truth


class _Reason:
    """Why a term is unknown."""

    def __init__(self, term: Term, rows: Rows) -> None:
        parts = list(walk(term.condition))
        asked = [part.benchmark for part in parts if isinstance(part, Relative)]
        self.rows = rows
        self.without = next((name for name in asked if name not in rows.benchmarks), None)
        self.needed = bars_needed(term.condition)
        self.texts = dict.fromkeys(filter(None, map(_text_of, parts)))

    def of(self, row: int) -> str:
        """Return the reason for a row."""
        if self.without is not None:
            return f"no_benchmark {self.without}"
        if self.rows.bars[row] < self.needed:
            return "insufficient_history"
        lacking = (name for name in self.texts if not self._told(name, row))
        return next((f"no_{name}" for name in lacking), "undefined")

    def _told(self, name: str, row: int) -> bool:
        texts = self.rows.symbols if name == "symbol" else self.rows.texts.get(name)
        return texts is not None and texts[row] is not None


def _text_of(part: Expression) -> str:
    """Return the text of the universe that a part asks for, or nothing."""
    match part:
        case Membership(field=name) | CrossSection(by=name):
            return name
    return ""
