"""Bars that came in two ways: two series come in, the session where they part goes out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from scanner.bars.block import BarSeries

#: Relative difference of a price that is more than rounding: the smallest split is 5 for 4.
TOLERANCE: Final = 0.005


def first_difference(one: BarSeries, other: BarSeries) -> int | None:
    """Return the first session in which the prices of two series differ; None if none does.

    A session that only one of them has is a difference; volumes are corrected for days and are
    not looked at.
    """
    sessions = np.union1d(one.sessions, other.sessions)
    prices = [np.full((4, sessions.size), np.nan) for _ in range(2)]
    for table, series in zip(prices, (one, other), strict=True):
        table[:, np.searchsorted(sessions, series.sessions)] = series.values[:4]
    with np.errstate(invalid="ignore"):
        near = np.abs(prices[0] - prices[1]) <= TOLERANCE * np.abs(prices[1])
    apart = ~near.all(axis=0)
    return int(sessions[int(apart.argmax())]) if apart.any() else None


def sample_of(symbols: Sequence[str], first: Sequence[str], day: str, count: int) -> list[str]:
    """Return `count` of `symbols` for a day: those of `first`, then others by chance.

    The same day gives the same ones, and days go through all of them.
    """
    known = set(symbols)
    chosen = [symbol for symbol in dict.fromkeys(first) if symbol in known][:count]
    rest = sorted(
        known.difference(chosen),
        key=lambda symbol: hashlib.blake2b(f"{day}:{symbol}".encode(), digest_size=8).digest(),
    )
    return chosen + rest[: count - len(chosen)]
