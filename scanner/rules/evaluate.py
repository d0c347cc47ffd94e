"""Evaluation of rules: a block of bars and checked expressions come in, their last values go out.

1. how many last bars of each expression are needed follows from what looks back at it
2. indicators that are missing are computed, all of them in one call
3. each distinct expression is evaluated once, for all symbols and those bars (`operations.py`)
Another timeframe is a block of its own, made of the bars so far, and evaluated in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scanner.bars.block import FIELDS, FloatArray
from scanner.bars.resample import resample, without_last
from scanner.rules.operations import OPERATIONS
from scanner.rules.scope import Scope, Value
from scanner.rules.tree import Expression, OnTimeframe, Series, back, parts
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
    wanted = list(expressions)
    run = Evaluation(scope, wanted, bars, dict(given or {}))
    with np.errstate(all="ignore"):
        return {one: run.last(one, bars) for one in wanted}


class Evaluation:
    """One evaluation: what is needed, and what is known so far."""

    def __init__(
        self,
        scope: Scope,
        wanted: Sequence[Expression],
        bars: int,
        values: dict[Expression, Value],
    ) -> None:
        self.scope = scope
        self.values = values
        self.symbols, self.width = scope.block.close.shape
        #: Expression -> how many last bars of it are needed.
        self.needed: dict[Expression, int] = {}
        for one in wanted:
            self._need(one, bars)
        self.columns = self._computed()
        self.looks = Looks(scope, self.needed)

    def _need(self, x: Expression, bars: int) -> None:
        if x in self.values or self.needed.get(x, 0) >= bars:
            return
        self.needed[x] = bars
        if isinstance(x, OnTimeframe):
            return
        more = back(x)
        for part in parts(x):
            self._need(part, max(self.width, bars) if more is None else bars + more)

    def _computed(self) -> Mapping[str, FloatArray]:
        names = {x.name for x in self.needed if isinstance(x, Series)} - set(FIELDS)
        missing = sorted(names - set(self.scope.columns))
        made = self.scope.compute(self.scope.block, missing) if missing else {}
        return {**self.scope.columns, **made}

    def last(self, x: Expression, bars: int) -> Any:
        """Return the last `bars` values of `x`."""
        if x not in self.values:
            self.values[x] = OPERATIONS[type(x)](self, x, self.needed[x])
        value = self.values[x]
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
