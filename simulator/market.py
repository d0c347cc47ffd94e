"""What is served: a Market holds symbols and their bars; `aggregates` and `listing` read it.

Also the whole market by day, built from the bars of all symbols when it is first asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
DayArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Daily bars, oldest first."""

    #: (bars,) days since 1970-01-01.
    days: DayArray
    #: (5, bars) open, high, low, close, volume.
    values: FloatArray

    def between(self, first: int, last: int) -> Bars:
        """Return the bars with first <= day <= last."""
        start, stop = np.searchsorted(self.days, (first, last + 1))
        return Bars(days=self.days[start:stop], values=self.values[:, start:stop])


class Market(Protocol):
    """Symbols with their bars."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, sorted."""
        ...

    @property
    def last_day(self) -> int:
        """The last session, in days since 1970-01-01."""
        ...

    def bars(self, symbol: str) -> Bars | None:
        """Return all bars of `symbol`; None if there is no such symbol."""
        ...

    def kind(self, symbol: str) -> str:
        """Return the type of `symbol` in Polygon's codes, such as CS or ETF."""
        ...


class Seen(Protocol):
    """A market at a moment, adjusted or as it was traded."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, sorted."""
        ...

    def bars(self, symbol: str, *, adjusted: bool = True) -> Bars | None:
        """Return all bars of `symbol`; None if there is no such symbol."""
        ...


class WholeDays:
    """The bars of all symbols, by day."""

    def __init__(self, market: Seen) -> None:
        self._market = market
        self._tables: dict[bool, tuple[DayArray, npt.NDArray[np.int64], FloatArray]] = {}

    def rows(self, day: int, *, adjusted: bool) -> tuple[list[str], FloatArray]:
        """Return the symbols with a bar on `day`, and their (5, symbols) values."""
        if adjusted not in self._tables:
            self._tables[adjusted] = self._build(adjusted=adjusted)
        days, owners, values = self._tables[adjusted]
        start, stop = np.searchsorted(days, (day, day + 1))
        symbols = self._market.symbols
        return [symbols[owner] for owner in owners[start:stop]], values[:, start:stop]

    def _build(self, *, adjusted: bool) -> tuple[DayArray, npt.NDArray[np.int64], FloatArray]:
        found = [self._market.bars(symbol, adjusted=adjusted) for symbol in self._market.symbols]
        every = [bars for bars in found if bars is not None]
        days = np.concatenate([bars.days for bars in every])
        owners = np.repeat(np.arange(len(every)), [bars.days.size for bars in every])
        values = np.concatenate([bars.values for bars in every], axis=1)
        order = np.argsort(days, kind="stable")
        return days[order], owners[order], values[:, order]
