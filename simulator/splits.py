"""Splits of shares: a market gives its splits, `tape` asks by what its bars are multiplied.

The bars of a market are adjusted by all splits up to one day of its own, the base. They are
shown as they were traded, or adjusted by the splits up to any other day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.market import DayArray, FloatArray, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ratio:
    """A split as what happens to a price that is adjusted up to the base."""

    day: int
    #: Whether the base lies on the day of the split or after it.
    in_base: bool
    times: float

    def scale(self, as_of: DayArray) -> FloatArray:
        """Return what takes prices adjusted up to the base to those adjusted up to `as_of`."""
        happened = as_of >= self.day
        return np.where(happened == self.in_base, 1.0, self.times)


class SplitBook:
    """The splits of all symbols of a market, and what they do to prices."""

    def __init__(self, splits: Iterable[Split], *, base_day: int, symbols: Sequence[str]) -> None:
        self._ratios: dict[str, list[_Ratio]] = defaultdict(list)
        for split in splits:
            in_base = split.day <= base_day
            forward = split.split_to / split.split_from
            back = split.split_from / split.split_to
            times = forward if in_base else back
            self._ratios[split.symbol].append(_Ratio(day=split.day, in_base=in_base, times=times))
        places = {symbol: place for place, symbol in enumerate(symbols)}
        self._places = {name: places[name] for name in self._ratios if name in places}
        self._size = len(symbols)

    def scale(self, symbol: str, as_of: DayArray) -> FloatArray:
        """Return for each day of `as_of` what prices of `symbol` are multiplied by.

        The day of a bar gives its price as it was traded; the same day for all bars gives
        prices adjusted by the splits up to that day.
        """
        scale = np.ones(as_of.shape)
        for ratio in self._ratios.get(symbol, ()):
            scale *= ratio.scale(as_of)
        return scale

    def scale_of_all(self, as_of: int) -> FloatArray:
        """Return (symbols,) what the prices of each symbol are multiplied by."""
        scale = np.ones(self._size)
        day = np.array(as_of, dtype=np.int64)
        for symbol, place in self._places.items():
            scale[place] = self.scale(symbol, day)
        return scale
