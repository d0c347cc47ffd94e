"""What an expression means: `check.py` makes this tree, `evaluate.py` reads it.

Every part is frozen and equal to any other that means the same, so that what occurs twice is
computed once. A number is unknown where it is NaN; a condition is true, false or unknown.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass, fields
from typing import Literal, TypeVar, cast, dataclass_transform


class _Part:
    """Has room for its hash, which is asked for at each of its places in a scan."""

    __slots__ = ("_hash",)


_Made = TypeVar("_Made", bound=_Part)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def _part(cls: type[_Made]) -> type[_Made]:
    """Return a frozen dataclass whose hash, that of a whole tree, is found out once."""
    made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    of_fields = made.__hash__

    def remembered(self: _Part) -> int:
        try:
            return cast("int", self._hash)  # type: ignore[attr-defined]
        except AttributeError:
            found = of_fields(self)
            object.__setattr__(self, "_hash", found)
            return found

    made.__hash__ = remembered  # type: ignore[assignment,method-assign]
    return made


@_part
class Constant(_Part):
    """A number."""

    value: float


@_part
class Series(_Part):
    """A value for each bar: a field of the bar itself, or an indicator's column."""

    name: str


@_part
class Arithmetic(_Part):
    """Numbers joined to a number: + - * / negative, abs min max round sqrt log sign coalesce."""

    op: str
    args: tuple[Number, ...]


@_part
class Choice(_Part):
    """One of two numbers; unknown where the condition is."""

    condition: Condition
    then: Number
    other: Number


@_part
class Comparison(_Part):
    """Two numbers compared by < <= > >= == or !=; unknown where one of them is."""

    op: str
    left: Number
    right: Number


@_part
class Membership(_Part):
    """Whether a text of the universe is one of some; unknown where a symbol has none.

    With no values it only asks whether there is a text, for Known.
    """

    #: `symbol`, `name`, `sector`, `type` or `exchange`.
    field: str
    values: frozenset[str]


@_part
class Logic(_Part):
    """Conditions joined by `and` or `or`, or one denied by `not`, in Kleene's way."""

    op: Literal["and", "or", "not"]
    args: tuple[Condition, ...]


@_part
class Known(_Part):
    """Whether a value is known; never unknown itself."""

    x: Expression


@_part
class Ago(_Part):
    """A value as it was some of the symbol's own bars ago."""

    bars: int
    x: Expression


@_part
class Held(_Part):
    """Whether a condition held `within` the last bars at least once, or in `all_of` them."""

    #: within or all_of
    op: str
    bars: int
    x: Condition


@_part
class Count(_Part):
    """In how many of the last bars a condition held; unknown if it is in one of them."""

    bars: int
    x: Condition


@_part
class Since(_Part):
    """How many bars ago a condition held last; unknown if it never did, or may have since."""

    x: Condition


@_part
class Rolling(_Part):
    """The highest, lowest, change or slope of a number over the last bars.

    `change` is against the value `bars` ago; `slope` is that of a least squares line, a bar.
    """

    #: highest, lowest, change or slope
    op: str
    bars: int
    x: Number


@_part
class OnTimeframe(_Part):
    """A value of weekly or monthly bars made of the sessions so far."""

    timeframe: str
    #: Leave out a last bar whose week or month may still get sessions.
    finished: bool
    x: Expression


@_part
class CrossSection(_Part):
    """A number's place among those of all rows, at the last bar only."""

    #: rank, rank_in or zscore
    op: str
    x: Number
    #: The text of the universe that makes groups, for `rank_in`.
    by: str = ""


@_part
class Relative(_Part):
    """A symbol against another one over the last bars, aligned by session."""

    #: rs, beta or corr
    op: str
    benchmark: str
    bars: int


Number = (
    Constant
    | Series
    | Arithmetic
    | Choice
    | Count
    | Since
    | Rolling
    | Ago
    | OnTimeframe
    | CrossSection
    | Relative
)
Condition = Comparison | Membership | Logic | Known | Held | Ago | OnTimeframe
Expression = Number | Condition

#: Those that are conditions whatever they are made of.
_CONDITIONS = (Comparison, Membership, Logic, Known, Held)


def is_condition(x: Expression) -> bool:
    """Return whether `x` is a condition and not a number."""
    while isinstance(x, Ago | OnTimeframe):
        x = x.x
    return isinstance(x, _CONDITIONS)


def back(x: Expression) -> int | None:
    """Return how many bars `x` looks back at what it is made of; None: at all of them."""
    match x:
        case Ago(bars=bars) | Rolling(op="change", bars=bars):
            return bars
        case Held(bars=bars) | Count(bars=bars) | Rolling(bars=bars):
            return bars - 1
        case Since():
            return None
    return 0


def need(
    x: Expression,
    bars: int,
    width: int,
    needed: dict[Expression, int],
    known: Collection[Expression] = (),
) -> None:
    """Note in `needed` for how many last bars `x` and its parts are needed.

    `width`: all bars, where one looks back at all of them. `known`: parts that are there already.
    """
    if x in known or needed.get(x, 0) >= bars:
        return
    needed[x] = bars
    if isinstance(x, OnTimeframe):
        return
    more = back(x)
    for part in parts(x):
        need(part, max(width, bars) if more is None else bars + more, width, needed, known)


def parts(x: Expression) -> Iterator[Expression]:
    """Yield the expressions that `x` is directly made of."""
    for name in _names_of(cast("Hashable", type(x))):
        value = getattr(x, name)
        if isinstance(value, tuple):
            yield from value
        elif isinstance(value, Number | Condition):
            yield value


@functools.cache
def _names_of(kind: Hashable) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))  # type: ignore[arg-type]


def walk(x: Expression) -> Iterator[Expression]:
    """Yield `x` and everything that it is made of."""
    yield x
    for part in parts(x):
        yield from walk(part)
