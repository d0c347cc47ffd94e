"""What rules need: an expression comes in, how many bars a symbol has to have goes out."""

from __future__ import annotations

from typing import Final

from scanner.bars.block import FIELDS
from scanner.indicators.registry import column
from scanner.rules.tree import Expression, OnTimeframe, Relative, Series, back, parts
from scanner.timeframe import WEEKLY

#: Most sessions in a week, and in a month.
_SESSIONS: Final = {WEEKLY: 5}
_SESSIONS_A_MONTH: Final = 23


def bars_needed(x: Expression) -> int:
    """Return how many bars a symbol needs before `x` can be known at its last one."""
    match x:
        case Series(name=name):
            return 1 if name in FIELDS else column(name).bars
        case Relative(bars=bars):
            return bars + 1
        case OnTimeframe(timeframe=timeframe, finished=finished):
            sessions = _SESSIONS.get(timeframe, _SESSIONS_A_MONTH)
            return (bars_needed(x.x) - 1 + finished) * sessions + 1
    return (back(x) or 0) + max((bars_needed(part) for part in parts(x)), default=0)
