"""Texts in rules: phrases about what the universe tells of a symbol come in from `check.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner.rules.names import TEXTS
from scanner.rules.parse import Phrase
from scanner.rules.tree import Comparison, Condition, Known, Logic, Membership

if TYPE_CHECKING:
    from scanner.rules.check import Checker


def matched(checker: Checker, phrase: Phrase) -> Condition:
    """Return whether a text of the universe is, or is not, the given one."""
    left, right = phrase.parts
    field, given = (right, left) if left.kind == "text" else (left, right)
    if phrase.kind not in {"==", "!="}:
        checker.refuse("texts are compared by ==, != or in", phrase)
    if given.kind != "text":
        checker.refuse(f'expected a text in quotes, as in {field.name} == "..."', given)
    found = Membership(field=checker.text(field), values=frozenset({given.name}))
    return found if phrase.kind == "==" else Logic(op="not", args=(found,))


def member(checker: Checker, phrase: Phrase) -> Condition:
    """Return whether a text or a number is one of some."""
    wanted, *items = phrase.parts
    if any(item.kind == "text" for item in items):
        for item in items:
            if item.kind != "text":
                checker.refuse("expected a text: the others of this list are texts", item)
        return Membership(field=checker.text(wanted), values=frozenset(item.name for item in items))
    equal = []
    for item in items:
        one = Comparison(op="==", left=checker.number(wanted), right=checker.number(item))
        checker.same_levels(phrase, one)
        equal.append(one)
    return equal[0] if len(equal) == 1 else Logic(op="or", args=tuple(equal))


def known(checker: Checker, phrase: Phrase) -> Condition:
    """Return whether a value is known, or whether the universe tells a text."""
    if phrase.kind == "name" and phrase.name in TEXTS:
        return Known(x=Membership(field=checker.text(phrase), values=frozenset()))
    return Known(x=checker.meaning(phrase))


def listed() -> str:
    """Return the names of all texts, for a message."""
    *most, last = TEXTS
    return f"{', '.join(most)} or {last}"
