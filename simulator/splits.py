"""Splits of the simulated market: symbols and days come in, splits and factors go out.

What was traded never changes: the raw bars of a symbol are the same whenever they are asked for.
Adjusted ones are in the shares of the market's last day, so that a new split changes all before it.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from simulator.market import Bars, FloatArray
from simulator.sessions import all_sessions, day_of, parse_date

#: Shares before and after: more of the usual ones, some to either extreme.
_RATIOS: Final = (
    (1, 2),
    (1, 2),
    (1, 4),
    (1, 3),
    (2, 3),
    (1, 10),
    (1, 20),
    (10, 1),
    (20, 1),
    (8, 1),
)
#: Share of the symbols that split in the four years of the calendar.
_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """`before` shares became `after` shares on a day."""

    day: int
    before: float
    after: float


class Splits(Protocol):
    """Who splits when."""

    #: Days up to which the market's own bars are adjusted.
    anchor: int

    def of(self, symbol: str) -> Sequence[Split]:
        """Return all splits of `symbol`, past and future, oldest first."""
        ...


class SyntheticSplits:
    """Splits that depend on the seed and the symbol alone; SPY has none."""

    def __init__(self, *, seed: int, anchor: int) -> None:
        self._seed = seed
        self.anchor = anchor

    def of(self, symbol: str) -> Sequence[Split]:
        """Return all splits of `symbol`, past and future, oldest first."""
        digest = hashlib.blake2b(f"split:{self._seed}:{symbol}".encode(), digest_size=16).digest()
        source = np.random.Generator(np.random.PCG64(int.from_bytes(digest)))
        if symbol == "SPY" or source.random() >= _SHARE:
            return ()
        sessions = all_sessions()
        count = 2 if source.random() < 0.1 else 1
        days = np.sort(source.choice(sessions.size - 1, count, replace=False) + 1)
        chosen = source.integers(0, len(_RATIOS), count)
        return tuple(
            Split(day=int(sessions[at]), before=_RATIOS[ratio][0], after=_RATIOS[ratio][1])
            for at, ratio in zip(days.tolist(), chosen.tolist(), strict=True)
        )


class ListedSplits:
    """Splits of a CSV file: ticker, execution_date, split_from, split_to."""

    def __init__(self, path: Path | None, *, anchor: int) -> None:
        self.anchor = anchor
        self._known: dict[str, list[Split]] = {}
        if path is None:
            return
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                split = Split(
                    day=day_of(parse_date(row["execution_date"])),
                    before=float(row["split_from"]),
                    after=float(row["split_to"]),
                )
                self._known.setdefault(row["ticker"], []).append(split)

    def of(self, symbol: str) -> Sequence[Split]:
        """Return all splits of `symbol`, oldest first."""
        return sorted(self._known.get(symbol, ()), key=lambda split: split.day)


def seen(bars: Bars, splits: Sequence[Split], *, anchor: int, until: int, adjusted: bool) -> Bars:
    """Return `bars`, which are adjusted to `anchor`, as they are seen on the day `until`.

    Adjusted to that day, or as they were traded.
    """
    factors = np.ones(bars.days.size)
    for split in splits:
        ratio = split.before / split.after
        before = bars.days < split.day
        if split.day <= anchor:
            if not adjusted or split.day > until:
                factors[before] /= ratio
        elif not adjusted:
            factors[~before] *= ratio
        elif split.day <= until:
            factors *= ratio
    return bars if (factors == 1.0).all() else _times(bars, factors)


def _times(bars: Bars, factors: FloatArray) -> Bars:
    values = bars.values.copy()
    values[:4] *= factors
    values[4] /= factors
    return Bars(days=bars.days, values=values)


def executed(splits: Splits, symbols: Sequence[str], until: int) -> list[tuple[int, str, Split]]:
    """Return the splits of `symbols` up to the day `until` as (day, symbol, split), in order."""
    found = [(one.day, symbol, one) for symbol in symbols for one in splits.of(symbol)]
    return sorted((one for one in found if one[0] <= until), key=lambda one: one[:2])
