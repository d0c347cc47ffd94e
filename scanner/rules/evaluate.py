"""Evaluation of rules: a block of bars and checked expressions come in, their last values go out.

1. how many last bars of each expression are needed follows from what looks back at it
2. indicators that are missing are computed, all of them in one call
3. each distinct expression is evaluated once, for all symbols and those bars (`operations.py`)
Another timeframe is a block of its own, made of the bars so far, and evaluated in the same way.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scanner.bars.block import FIELDS, BoolArray, FloatArray
from scanner.bars.resample import resample, without_last
from scanner.rules.operations import OPERATIONS
from scanner.rules.scope import Scope, Value
from scanner.rules.tree import Expression, OnTimeframe, Series, need, walk
from scanner.rules.truth import Truth


def evaluate(
    scope: Scope,
    expressions: Iterable[Expression],
    bars: int = 1,
    given: Mapping[Expression, Value] | None = None,
) -> dict[Expression, Value]:
    """Return the last `bars` values of each of `expressions`, (symbols, bars).

    `given`: values that are known already, at least as many bars of them as are needed.
    """
    wanted = tuple(expressions)
    width = scope.block.close.shape[1]
    plan = _plan(wanted, bars, width, tuple(given or ()))
    run = Evaluation(scope, plan, given or {})
    with np.errstate(all="ignore"):
        # The plan may be that of equal expressions, whose parts it knows by identity.
        return {one: run.last(one, bars) for one in plan.wanted}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What expressions need, found out once for all blocks of a width."""

    #: Identity of each part -> its place; parts that mean the same have one place.
    places: Mapping[int, int]
    #: How many last bars of each place are needed.
    bars: Sequence[int]
    #: The part that stands at each place.
    parts: Sequence[Expression]
    #: The expressions themselves, so that no identity is given to another.
    wanted: tuple[Expression, ...]


@functools.lru_cache(maxsize=64)
def _plan(
    wanted: tuple[Expression, ...], bars: int, width: int, given: tuple[Expression, ...]
) -> _Plan:
    known = set(given)
    needed: dict[Expression, int] = {}
    for one in wanted:
        need(one, bars, width, needed, known)
    order = {x: place for place, x in enumerate([*known, *needed])}
    places = {id(part): order[part] for x in wanted for part in walk(x) if part in order}
    return _Plan(
        places=places,
        bars=[needed.get(x, 0) for x in order],
        parts=list(order),
        wanted=wanted,
    )


class Evaluation:
    """One evaluation: what is needed, and what is known so far."""

    def __init__(self, scope: Scope, plan: _Plan, given: Mapping[Expression, Value]) -> None:
        self.scope = scope
        self.plan = plan
        self.symbols, self.width = scope.block.close.shape
        self.values: list[Value | None] = [None] * len(plan.parts)
        if given:
            self.values = [given.get(x) for x in plan.parts]
        self.columns = self._computed()
        self.looks = Looks(scope, plan.parts)
        #: Bars of the symbol that has fewest.
        self.fewest = int(scope.block.counts.min()) if self.symbols else 0

    def _computed(self) -> Mapping[str, FloatArray]:
        names = {x.name for x in self.plan.parts if isinstance(x, Series)} - set(FIELDS)
        missing = sorted(names - set(self.scope.columns))
        made = self.scope.compute(self.scope.block, missing) if missing else {}
        return {**self.scope.columns, **made}

    def last(self, x: Expression, bars: int) -> Any:
        """Return the last `bars` values of `x`."""
        place = self.plan.places[id(x)]
        value = self.values[place]
        if value is None:
            value = OPERATIONS[type(x)](self, x, self.plan.bars[place])
            self.values[place] = value
        return value.last(bars) if isinstance(value, Truth) else value[:, value.shape[1] - bars :]

    def all_last(self, args: Sequence[Expression], bars: int) -> list[Any]:
        """Return the last `bars` values of each of `args`."""
        return [self.last(one, bars) for one in args]

    def cut(self, x: FloatArray, bars: int) -> FloatArray:
        """Return the last `bars` of all bars of `x`, NaN where there are no more."""
        if bars <= self.width:
            return x[:, self.width - bars :]
        out = np.full((bars, self.symbols), np.nan).T
        out[:, bars - self.width :] = x
        return out

    def present(self, bars: int) -> BoolArray | None:
        """Return where a symbol has a bar, of the last `bars`; None: everywhere.

        Before its first bar nothing of a symbol is known, not even that something is unknown.
        """
        if self.fewest >= bars:
            return None
        return ~np.isnan(self.cut(self.scope.block.close, bars))

    def texts(self, name: str) -> Sequence[str | None]:
        """Return what the universe tells of each symbol."""
        if name == "symbol":
            return self.scope.block.symbols
        return self.scope.texts.get(name) or (None,) * self.symbols


class Looks:
    """The other timeframes of an evaluation, as they were some bars ago."""

    def __init__(self, scope: Scope, needed: Iterable[Expression]) -> None:
        self.scope = scope
        #: Timeframe -> what is asked of its bars.
        self.inner: dict[tuple[str, bool], list[Expression]] = {}
        for x in needed:
            if isinstance(x, OnTimeframe):
                self.inner.setdefault((x.timeframe, x.finished), []).append(x.x)
        self.seen: dict[tuple[str, bool, int], dict[Expression, Value]] = {}

    def at(self, x: OnTimeframe, lag: int) -> Any:
        """Return the last value of what `x` asks for, `lag` daily bars ago."""
        key = (x.timeframe, x.finished, lag)
        if key not in self.seen:
            block = without_last(self.scope.block, lag)
            made = resample(block, x.timeframe, self.scope.next_sessions(block))
            longer = made.finished() if x.finished else made.bars
            scope = replace(self.scope, block=longer, columns={})
            self.seen[key] = evaluate(scope, self.inner[key[:2]])
        return self.seen[key][x.x]
