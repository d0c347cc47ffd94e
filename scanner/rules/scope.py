"""What rules are evaluated on: a block of bars and all that stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from scanner.bars.block import BarBlock, BarSeries, FloatArray, IntArray
from scanner.rules.truth import Truth
from scanner.timeframe import next_weekdays

#: Numbers, NaN where unknown, or a condition; (symbols, bars).
Value = FloatArray | Truth
Compute = Callable[[BarBlock, Sequence[str]], Mapping[str, FloatArray]]


def finite(made: FloatArray) -> FloatArray:
    """Return numbers, unknown where one is too large to be written, as one over 0 is."""
    return np.where(np.isfinite(made), made, np.nan)


def number(value: Value) -> FloatArray:
    """Return a value that has to be a number; TypeError if it is a condition."""
    if isinstance(value, Truth):
        raise TypeError("expected numbers, got a condition")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What expressions are evaluated on."""

    block: BarBlock
    compute: Compute
    #: Indicators that are computed already, each (symbols, bars).
    columns: Mapping[str, FloatArray] = field(default_factory=dict)
    #: `sector` and others -> the text of each symbol of the block, None where there is none.
    texts: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    benchmarks: Mapping[str, BarSeries] = field(default_factory=dict)
    #: Recent sessions of the exchange, ascending, and the one after the block's last; they decide
    #: which weeks and months are finished. Before and without them every weekday is a session.
    calendar: IntArray | None = None

    def next_sessions(self, block: BarBlock) -> IntArray | None:
        """Return the session of the exchange that follows the last bar of each symbol."""
        if not block.sessions.shape[1]:
            return None
        last, calendar = block.sessions[:, -1], self.calendar
        upcoming = next_weekdays(last)
        if calendar is None or not calendar.size:
            return upcoming
        places = np.searchsorted(calendar, last, side="right")
        known = calendar[np.minimum(places, calendar.size - 1)]
        inside = (places < calendar.size) & (last >= calendar[0])
        return np.where(inside, known, upcoming)
