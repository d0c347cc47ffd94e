"""Splits of shares: a market gives its splits, `tape` asks by what its bars are multiplied.

The bars of a market are adjusted by all splits up to one day of its own, the base. They are
shown as they were traded, or adjusted by the splits up to any other day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from simulator.market import DayArray, FloatArray, Split


class SplitBook:
    """The splits of all symbols of a market, and what they do to prices."""

    def __init__(self, splits: Iterable[Split], *, base_day: int, symbols: Sequence[str]) -> None:
        places = {symbol: place for place, symbol in enumerate(symbols)}
        known = [split for split in splits if split.symbol in places]
        self._size = len(symbols)
        self._places = np.array([places[split.symbol] for split in known], dtype=np.int64)
        self._days = np.array([split.day for split in known], dtype=np.int64)
        self._in_base = self._days <= base_day
        forward = np.array([split.split_to / split.split_from for split in known], dtype=float)
        back = np.array([split.split_from / split.split_to for split in known], dtype=float)
        #: What a price is multiplied by where a split that the base has did not happen yet, or
        #: one that it lacks did.
        self._times = np.where(self._in_base, forward, back)
        self._splits_of: dict[str, list[int]] = defaultdict(list)
        for number, split in enumerate(known):
            self._splits_of[split.symbol].append(number)

    def scale(self, symbol: str, as_of: DayArray) -> FloatArray:
        """Return for each day of `as_of` what prices of `symbol` are multiplied by.

        The day of a bar gives its price as it was traded; the same day for all bars gives
        prices adjusted by the splits up to that day.
        """
        scale = np.ones(as_of.shape)
        for number in self._splits_of.get(symbol, ()):
            as_in_base = (as_of >= self._days[number]) == self._in_base[number]
            scale *= np.where(as_in_base, 1.0, self._times[number])
        return scale

    def scale_of_all(self, as_of: int) -> FloatArray:
        """Return (symbols,) what the prices of each symbol are multiplied by."""
        scale = np.ones(self._size)
        as_in_base = (as_of >= self._days) == self._in_base
        np.multiply.at(scale, self._places, np.where(as_in_base, 1.0, self._times))
        return scale
