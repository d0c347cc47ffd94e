"""A few symbols whose bars have all that a rule can meet, for tests of the scan language."""

from __future__ import annotations

import numpy as np

from scanner.bars.block import BarSeries, stack
from scanner.indicators.compute import compute
from scanner.rules.evaluate import evaluate
from scanner.rules.scope import Scope

#: A Monday.
FIRST = 20_003


def series(symbol, bars, seed):
    """Return bars in cents that rest now and then, with missing sessions and volumes of 0."""
    rng = np.random.default_rng(seed)
    weekdays = np.array([day for day in range(FIRST - 400, FIRST) if (day + 3) % 7 < 5])
    kept = rng.random(weekdays.size) > 0.05
    kept[-1] = True
    sessions = weekdays[kept][-bars:].astype(np.int32) if bars else weekdays[:0].astype(np.int32)
    moves = np.where(rng.random(bars) < 0.3, 0.0, rng.normal(0.0, 0.02, bars))
    close = np.round(20.0 * np.exp(moves.cumsum()), 2)
    opened = np.round(close * (1.0 + np.where(rng.random(bars) < 0.3, 0.0, 0.01)), 2)
    high, low = np.maximum(opened, close) + 0.05, np.minimum(opened, close) - 0.05
    volume = np.where(rng.random(bars) < 0.1, 0.0, np.round(rng.lognormal(10.0, 1.0, bars)))
    values = np.stack([opened, high, low, close, volume])
    return BarSeries(symbol=symbol, sessions=sessions, values=values)


def market(lengths=(1, 2, 30, 90), seed=3):
    """Return a scope of symbols A, B, ... of `lengths` bars, with SPY as a benchmark."""
    many = [series(chr(65 + at), bars, seed + at) for at, bars in enumerate(lengths)]
    return Scope(
        block=stack(many),
        compute=compute,
        texts={
            "sector": ["Energy", "Utilities", None, "Energy"][: len(many)]
            + [None] * (len(many) - 4)
        },
        benchmarks={"SPY": series("SPY", 120, 99)},
    )


_SCOPE = market()


def evaluate_everywhere(expression):
    """Evaluate at the last 3 bars of the market, unless it is of the last bar only."""
    evaluate(_SCOPE, [expression])
