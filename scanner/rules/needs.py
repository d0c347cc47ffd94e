"""What rules need: an expression comes in, how many bars a symbol has to have goes out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

from scanner.bars.block import FIELDS
from scanner.indicators.registry import column, settled_bars
from scanner.rules.tree import Expression, OnTimeframe, Relative, Series, back, parts
from scanner.timeframe import WEEKLY

#: Most sessions in a week, and in a month.
_SESSIONS: Final = {WEEKLY: 5}
_SESSIONS_A_MONTH: Final = 23


def bars_needed(x: Expression) -> int:
    """Return how many bars a symbol needs before `x` can be known at its last one."""
    return _bars(x, _first)


def bars_settled(x: Expression) -> int:
    """Return how many bars a symbol needs before more history does not change `x`.

    Columns that no number of bars settles count as far as they have a value.
    """
    return _bars(x, settled_bars)


def warming(x: Expression, bars: int) -> tuple[str, ...]:
    """Return the columns in `x` that have a value after `bars` bars, but no settled one.

    Of another timeframe they are named as in `1w:rsi_14`.
    """
    return tuple(dict.fromkeys(_warming(x, bars, "")))


def _warming(x: Expression, bars: int, timeframe: str) -> list[str]:
    if isinstance(x, Series):
        warm = x.name not in FIELDS and column(x.name).standing(bars) == "warming"
        return [timeframe + x.name] * warm
    if isinstance(x, OnTimeframe):
        longer = -(-bars // _sessions(x.timeframe)) - x.finished
        return _warming(x.x, longer, f"{x.timeframe}:")
    earlier = bars - (back(x) or 0)
    return [name for part in parts(x) for name in _warming(part, earlier, timeframe)]


def _bars(x: Expression, of: Callable[[str], int]) -> int:
    inside = functools.partial(_bars, of=of)
    match x:
        case Series(name=name):
            return 1 if name in FIELDS else of(name)
        case Relative(bars=bars):
            return bars + 1
        case OnTimeframe(timeframe=timeframe, finished=finished):
            return (inside(x.x) - 1 + finished) * _sessions(timeframe) + 1
    return (back(x) or 0) + max(map(inside, parts(x)), default=0)


def _first(name: str) -> int:
    return column(name).bars


def _sessions(timeframe: str) -> int:
    """Return the most sessions that a week or a month has."""
    return _SESSIONS.get(timeframe, _SESSIONS_A_MONTH)
