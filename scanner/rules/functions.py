"""Functions of the scan language: a call comes in from `check.py`, a part of the tree goes out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from scanner.errors import InvalidSymbol
from scanner.rules.parse import Phrase
from scanner.rules.tree import (
    Ago,
    Arithmetic,
    Choice,
    Comparison,
    Count,
    CrossSection,
    Expression,
    Held,
    Logic,
    OnTimeframe,
    Relative,
    Rolling,
    Since,
)
from scanner.rules.usage import USAGE
from scanner.spec import check_symbol
from scanner.timeframe import MONTHLY, WEEKLY

if TYPE_CHECKING:
    from scanner.rules.check import Checker

#: Longest window, and bars that are looked back in all.
MAX_WINDOW: Final = 1_000

#: Bars that another timeframe may be looked back at: each is a block of its own.
MAX_LOOKS: Final = 30

#: Written timeframe -> timeframe, and whether only finished weeks or months count.
_TIMEFRAMES: Final[Mapping[str, tuple[str, bool]]] = {
    one + mark: (one, mark == "!") for one in (WEEKLY, MONTHLY) for mark in ("", "!")
}

T = TypeVar("T")

Make = Callable[["Checker", Phrase], Expression]


def knows(name: str) -> bool:
    """Return whether `name` is a function of the language, and not an indicator."""
    return name in USAGE


def usage(name: str) -> str:
    """Return how the function is called."""
    return USAGE[name]


def of_bars(names: Sequence[str]) -> str:
    """Return the innermost of the functions `names` that looks beyond the last daily bar, or ''."""
    return next((name for name in reversed(names) if name in _TEMPORAL), "")


def meaning(checker: Checker, phrase: Phrase) -> Expression:
    """Return what a call of a known function means."""
    expected, given = USAGE[phrase.name].count(",") + 1, len(phrase.parts)
    more = "..." in USAGE[phrase.name]
    if given < expected - more or (given > expected and not more):
        checker.refuse(f"expected {USAGE[phrase.name]}, got {given} arguments", phrase)
    checker.inside.append(phrase.name)
    found = _MAKERS[phrase.name](checker, phrase)
    checker.inside.pop()
    return found


def _looked_back(checker: Checker, bars: float, read: Callable[[Phrase], T], phrase: Phrase) -> T:
    """Return what `read` makes of an argument that is looked at `bars` bars before, too."""
    checker.back.append(bars)
    together = sum(bars for bars in checker.back if math.isfinite(bars))
    if together > MAX_WINDOW:
        checker.refuse(f"looks back {together:,.0f} bars, at most {MAX_WINDOW:,} in all", phrase)
    found = read(phrase)
    checker.back.pop()
    return found


def _arithmetic(checker: Checker, phrase: Phrase) -> Expression:
    args = tuple(checker.number(part) for part in phrase.parts)
    return Arithmetic(op=phrase.name, args=args)


def _choice(checker: Checker, phrase: Phrase) -> Expression:
    condition, then, other = phrase.parts
    return Choice(
        condition=checker.condition(condition),
        then=checker.number(then),
        other=checker.number(other),
    )


def _ago(checker: Checker, phrase: Phrase) -> Expression:
    bars = checker.whole(phrase.parts[0], "n")
    return Ago(bars=bars, x=_looked_back(checker, bars, checker.meaning, phrase.parts[1]))


def _held(checker: Checker, phrase: Phrase) -> Expression:
    bars = checker.whole(phrase.parts[0], "n")
    condition = _looked_back(checker, bars - 1, checker.condition, phrase.parts[1])
    if phrase.name == "count":
        return Count(bars=bars, x=condition)
    return Held(op=phrase.name, bars=bars, x=condition)


def _since(checker: Checker, phrase: Phrase) -> Expression:
    return Since(x=_looked_back(checker, math.inf, checker.condition, phrase.parts[0]))


def _rolling(checker: Checker, phrase: Phrase) -> Expression:
    bars = checker.whole(phrase.parts[0], "n")
    if phrase.name == "slope" and bars == 1:
        checker.refuse("n: a slope needs 2 bars or more", phrase.parts[0])
    back = bars if phrase.name == "change" else bars - 1
    number = _looked_back(checker, back, checker.number, phrase.parts[1])
    return Rolling(op=phrase.name, bars=bars, x=number)


def _crosses(checker: Checker, phrase: Phrase) -> Expression:
    x, y = (checker.number(part) for part in phrase.parts)
    x_1, y_1 = (_looked_back(checker, 1, checker.number, part) for part in phrase.parts)
    before, now = ("<=", ">") if phrase.name == "crosses_above" else (">=", "<")
    then = Comparison(op=before, left=Ago(bars=1, x=x_1), right=Ago(bars=1, x=y_1))
    crossed = Comparison(op=now, left=x, right=y)
    checker.same_levels(phrase, crossed)
    return Logic(op="and", args=(then, crossed))


def _timeframe(checker: Checker, phrase: Phrase) -> Expression:
    name, x = phrase.parts
    if name.kind != "text" or name.name not in _TIMEFRAMES:
        known = ", ".join(f'"{one}"' for one in _TIMEFRAMES)
        checker.refuse(f"expected a timeframe, one of {known}", name)
    if "tf" in checker.inside[:-1]:
        checker.refuse("tf(...) cannot stand inside another one", phrase)
    if (back := sum(checker.back)) > MAX_LOOKS:
        bars = "any number of" if math.isinf(back) else f"{back:.0f}"
        checker.refuse(
            f"tf(...) can be looked back at by {MAX_LOOKS} bars at most, not by {bars}", phrase
        )
    timeframe, finished = _TIMEFRAMES[name.name]
    # Inside, bars are weeks or months: what stands around does not look back at those.
    around, checker.back = checker.back, []
    found = checker.meaning(x)
    checker.back = around
    return OnTimeframe(timeframe=timeframe, finished=finished, x=found)


def _cross_section(checker: Checker, phrase: Phrase) -> Expression:
    if around := of_bars(checker.inside):
        checker.refuse(
            f"{phrase.name}(...) is known of the last bar only, when all rows are: "
            f"it cannot stand inside {around}(...)",
            phrase,
        )
    *by, x = phrase.parts
    number = checker.number(x)
    checker.comparable(x, number)
    return CrossSection(op=phrase.name, by=checker.text(by[0]) if by else "", x=number)


def _relative(checker: Checker, phrase: Phrase) -> Expression:
    name, bars = phrase.parts
    if "tf" in checker.inside:
        checker.refuse(f"{phrase.name}(...) is of daily bars: it cannot stand inside tf", phrase)
    if name.kind != "text":
        checker.refuse('expected the benchmark\'s symbol in quotes, as in "SPY"', name)
    try:
        benchmark = check_symbol(name.name)
    except InvalidSymbol as error:
        checker.refuse(str(error), name)
    count = checker.whole(bars, "n")
    if phrase.name != "rs" and count == 1:
        checker.refuse(f"n: {phrase.name} needs 2 bars or more", bars)
    return Relative(op=phrase.name, benchmark=benchmark, bars=count)


_TEMPORAL: Final[Mapping[str, Make]] = {
    "ago": _ago,
    **dict.fromkeys(("within", "all_of", "count"), _held),
    "since": _since,
    **dict.fromkeys(("highest", "lowest", "change", "slope"), _rolling),
    **dict.fromkeys(("crosses_above", "crosses_below"), _crosses),
    "tf": _timeframe,
}

_MAKERS: Final[Mapping[str, Make]] = {
    **dict.fromkeys(("abs", "min", "max", "round", "sqrt", "log", "sign", "coalesce"), _arithmetic),
    "if": _choice,
    **_TEMPORAL,
    **dict.fromkeys(("rank", "rank_in", "zscore"), _cross_section),
    **dict.fromkeys(("rs", "beta", "corr"), _relative),
}
