"""Splits: a series as it was traded and its splits come in, the adjusted series goes out.

Prices before a split's execution date are multiplied by split_from / split_to and volumes by the
inverse, as the provider does when it adjusts. Dividends are left alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarSeries, FloatArray

#: Digits of an adjusted number that are kept; a double has 15 or 16.
_DIGITS: Final = 13

#: Largest ratio that is believed: 1 for 10,000 has been seen.
_MOST_RATIO: Final = 1e6


#: Days within which nobody splits twice by the same ratio.
_WEEK: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One split of one symbol: `before` shares became `after` shares."""

    symbol: str
    #: The first session with the new shares, days since 1970-01-01.
    session: int
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """What prices before it are multiplied by."""
        return self.before / self.after

    @property
    def is_sound(self) -> bool:
        """Whether both sides are numbers of shares."""
        sides = (self.before, self.after)
        return all(math.isfinite(side) and side > 0.0 for side in sides) and (
            1.0 / _MOST_RATIO <= self.ratio <= _MOST_RATIO
        )


def distinct(splits: Iterable[Split]) -> list[Split]:
    """Return the sound ones of `splits`, once each, oldest first.

    Providers repeat a split under another id, or as 2 for 4 instead of 1 for 2.
    """
    known = {(one.symbol, one.session, one.ratio): one for one in splits if one.is_sound}
    return sorted(known.values(), key=lambda one: (one.session, one.symbol, one.ratio))


def adjusted(series: BarSeries, splits: Sequence[Split], until: int) -> BarSeries:
    """Return `series` in the shares of the session `until`.

    `splits`: those of the series' symbol, once each; those after `until` are not executed yet.
    """
    if not splits:
        return series
    factors = np.ones(len(series))
    for split in splits:
        if split.session <= until:
            factors[series.sessions < split.session] *= split.ratio
    if (factors == 1.0).all():
        return series
    values = series.values.copy()
    values[:4] *= factors
    values[4] /= factors
    split = factors != 1.0
    values[:, split] = _to_digits(values[:, split])
    return BarSeries(symbol=series.symbol, sessions=series.sessions, values=values)


def _to_digits(values: FloatArray) -> FloatArray:
    """Return `values` without the rounding of the multiplication.

    Prices are short decimals: two that were equal stay equal, as ties in some indicators need.
    """
    with np.errstate(divide="ignore"):
        size = np.where(values > 0.0, np.floor(np.log10(values)), 0.0)
    scale = 10.0 ** (_DIGITS - 1 - size)
    digits: FloatArray = np.rint(values * scale) / scale
    return digits


def contradictory(splits: Sequence[Split]) -> bool:
    """Return whether two splits of one symbol cannot both be true.

    Two in one session; or the same ratio twice within a week, which is one split with two dates.
    """
    ordered = sorted(splits, key=lambda one: one.session)
    return any(
        later.session == earlier.session
        or (later.session - earlier.session <= _WEEK and later.ratio == earlier.ratio)
        for earlier, later in itertools.pairwise(ordered)
    )
