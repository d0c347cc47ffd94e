"""Meaning of the scan language: an expression comes in, a frozen, typed tree goes out.

`parse.py` knows the grammar, `functions.py` what each function takes; here every part gets its
kind (number, condition, text), names are looked up, and what makes no sense is refused with its
place. Nothing is evaluated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from scanner.bars.block import FIELDS
from scanner.errors import ConfigError, ExpressionError
from scanner.indicators.indicator import Number as Figure
from scanner.indicators.registry import called, column, is_column, stems, written
from scanner.rules import functions, levels, texts
from scanner.rules.functions import MAX_WINDOW
from scanner.rules.names import TEXTS, nearest
from scanner.rules.parse import COMPARISONS, Phrase, parse
from scanner.rules.tree import (
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Expression,
    Logic,
    Number,
    Series,
    is_condition,
)
from scanner.rules.work import MAX_STEPS, steps

#: Most parts of an expression that is written out.
MAX_SIZE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One of the conditions that a rule joins by `and`."""

    #: As it was written.
    text: str
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A condition that was checked."""

    source: str
    condition: Condition
    #: In their order; each has to be true for a hit.
    terms: tuple[Term, ...]


def compile_rule(source: str, texts: Collection[str] = TEXTS) -> Rule:
    """Return the condition that `source` says; ExpressionError says what is wrong and where.

    `texts`: what the universe knows of its symbols beside `symbol`.
    """
    checker = Checker(source, texts)
    terms = tuple(
        Term(text=source[one.start : one.stop], condition=checker.condition(one))
        for one in _terms(parse(source))
    )
    _check_steps(source, (term.condition for term in terms))
    conditions = tuple(_flat("and", (term.condition for term in terms)))
    whole = conditions[0] if len(conditions) == 1 else Logic(op="and", args=conditions)
    return Rule(source=source, condition=whole, terms=terms)


def compile_number(source: str, texts: Collection[str] = TEXTS) -> Number:
    """Return the number that `source` says, to rank by; ExpressionError as `compile_rule`."""
    checker, phrase = Checker(source, texts), parse(source)
    number = checker.number(phrase)
    checker.comparable(phrase, number)
    _check_steps(source, [number])
    return number


def _check_steps(source: str, found: Iterable[Expression]) -> None:
    """Refuse what would keep a worker busy for long."""
    if (asked := steps(found)) > MAX_STEPS:
        raise ExpressionError(
            f"the expression takes {asked:,} steps a symbol, at most {MAX_STEPS:,}: look back "
            "less, above all inside since(...)",
            source,
            0,
            len(source),
        )


def _terms(phrase: Phrase) -> list[Phrase]:
    # Both sides of `between` are the same text.
    texts = {(part.start, part.stop) for part in phrase.parts}
    if phrase.kind != "and" or len(texts) == 1:
        return [phrase]
    return [term for part in phrase.parts for term in _terms(part)]


class Checker:
    """Gives the phrases of one expression their meaning."""

    def __init__(self, source: str, texts: Collection[str]) -> None:
        self.source = source
        self.texts = {"symbol", *texts}
        #: Functions around the phrase that is looked at.
        self.inside: list[str] = []
        #: Parts so far, each as often as it occurs when chains and the like are written out.
        self.size = 0
        #: Bars that those look back.
        self.back: list[float] = []

    def refuse(self, message: str, phrase: Phrase) -> NoReturn:
        """Raise the error of `phrase`."""
        raise ExpressionError(message, self.source, phrase.start, phrase.stop)

    def condition(self, phrase: Phrase) -> Condition:
        """Return the meaning of a phrase that has to be true or false."""
        found = self.meaning(phrase)
        if not is_condition(found):
            self.refuse("expected a condition, got a number: compare it, as in `x > 0`", phrase)
        return found  # type: ignore[return-value]

    def number(self, phrase: Phrase) -> Number:
        """Return the meaning of a phrase that has to be a number."""
        found = self.meaning(phrase)
        if is_condition(found):
            self.refuse("expected a number, got a condition: count(1, ...) makes it one", phrase)
        return found  # type: ignore[return-value]

    def meaning(self, phrase: Phrase) -> Expression:
        """Return the meaning of a phrase of either kind."""
        self.size += 1
        if self.size > MAX_SIZE:
            self.refuse(
                f"written out the expression has more than {MAX_SIZE:,} parts: chains, `between`, "
                "`in` and crosses repeat what stands in them",
                phrase,
            )
        match phrase.kind:
            case "number":
                return Constant(value=phrase.value)
            case "name":
                return self.named(phrase)
            case "call":
                return self.call(phrase)
            case "text":
                self.refuse(f"a text can only be compared with {texts.listed()}", phrase)
            case "in":
                return texts.member(self, phrase)
            case "known":
                return texts.known(self, phrase.parts[0])
        return self.joined(phrase)

    def joined(self, phrase: Phrase) -> Expression:
        """Return the meaning of parts that are joined by a sign or a word."""
        match phrase.kind:
            case "and" | "or" as op:
                parts = (self.condition(part) for part in phrase.parts)
                return Logic(op=op, args=tuple(_flat(op, parts)))
            case "not":
                return Logic(op="not", args=(self.condition(phrase.parts[0]),))
            case sign if sign in COMPARISONS:
                return self.compared(phrase)
        return Arithmetic(op=phrase.kind, args=tuple(self.number(part) for part in phrase.parts))

    def named(self, phrase: Phrase) -> Expression:
        """Return what a name without brackets stands for."""
        name = phrase.name
        if name in FIELDS:
            return Series(name=name)
        if name in TEXTS:
            self.refuse(f'{name} is a text: compare it, as in {name} == "..."', phrase)
        if is_column(name):
            return self.series(phrase, name)
        if functions.knows(name):
            self.refuse(f"{name} is a function: {functions.usage(name)}", phrase)
        if name in stems():
            self.refuse(f"{name} is an indicator: {name}(), or {written(name)}", phrase)
        return self.refuse(f"unknown name {name!r}{nearest(name)}", phrase)

    def call(self, phrase: Phrase) -> Expression:
        """Return what a function makes of its arguments."""
        if functions.knows(phrase.name):
            return functions.meaning(self, phrase)
        numbers = [self.figure(part) for part in phrase.parts]
        try:
            name = called(phrase.name, numbers)
        except KeyError:
            self.refuse(f"unknown function {phrase.name!r}{nearest(phrase.name)}", phrase)
        except ConfigError as error:
            self.refuse(str(error), phrase)
        return self.series(phrase, name)

    def figure(self, phrase: Phrase) -> Figure:
        """Return a number that is written out, for an indicator."""
        if phrase.kind != "number":
            self.refuse("expected a number: an indicator's numbers are written out", phrase)
        return int(phrase.value) if phrase.value.is_integer() else phrase.value

    def series(self, phrase: Phrase, name: str) -> Series:
        """Return an indicator's column, unless it looks back too far."""
        found = column(name)
        longest = max((n for n in found.parameters.values() if isinstance(n, int)), default=0)
        if longest > MAX_WINDOW:
            self.refuse(f"expected at most {MAX_WINDOW:,} bars, got {longest:,}", phrase)
        return Series(name=name)

    def compared(self, phrase: Phrase) -> Condition:
        """Return the comparison of two numbers, or of a text of the universe and a text."""
        left, right = phrase.parts
        if "text" in {left.kind, right.kind}:
            return texts.matched(self, phrase)
        comparison = Comparison(op=phrase.kind, left=self.number(left), right=self.number(right))
        self.same_levels(phrase, comparison)
        return comparison

    def same_levels(self, phrase: Phrase, comparison: Comparison) -> None:
        """Refuse to compare the level of a running total with anything but itself."""
        left, right = comparison.left, comparison.right
        if not levels.may_be_compared(left, right):
            self.refuse(levels.refusal(left, right), phrase)

    def comparable(self, phrase: Phrase, number: Number) -> None:
        """Refuse a level that means nothing between symbols."""
        if levels.of(number):
            self.refuse(levels.refusal(number), phrase)

    def text(self, phrase: Phrase) -> str:
        """Return the name of a text that the universe has."""
        name = phrase.name
        if phrase.kind != "name" or name not in TEXTS:
            self.refuse(f"only {texts.listed()} can be compared with a text", phrase)
        if around := functions.of_bars(self.inside):
            self.refuse(f"{name} is the same at each bar: it stands outside {around}(...)", phrase)
        if name not in self.texts:
            self.refuse(
                f"this universe does not tell the {name} of its symbols: a CSV file of "
                f"{','.join(TEXTS)} does, as SCANNER_UNIVERSE",
                phrase,
            )
        return name

    def whole(self, phrase: Phrase, name: str) -> int:
        """Return a number of bars that is written out."""
        value = phrase.value if phrase.kind == "number" else 0.0
        if not value.is_integer() or not 1 <= value <= MAX_WINDOW:
            self.refuse(f"{name}: expected a whole number from 1 to {MAX_WINDOW:,}", phrase)
        return int(value)


def _flat(op: str, conditions: Iterable[Condition]) -> Iterator[Condition]:
    for one in conditions:
        if isinstance(one, Logic) and one.op == op:
            yield from one.args
        else:
            yield one
