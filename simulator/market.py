"""What is served: a Market holds symbols, their bars and their splits; `tape` shows them.

Its bars are adjusted by all splits up to its base day, whatever the clock says.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """From `day` on, `split_from` shares are `split_to` shares."""

    symbol: str
    #: The session before whose open it happens, in days since 1970-01-01.
    day: int
    split_from: float
    split_to: float


class Market(Protocol):
    """Symbols with their bars and splits."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, sorted."""
        ...

    @property
    def sessions(self) -> DayArray:
        """All sessions that may ever be served, in days since 1970-01-01."""
        ...

    @property
    def last_day(self) -> int:
        """The last session if no clock says otherwise."""
        ...

    @property
    def base_day(self) -> int:
        """The day up to whose splits the bars are adjusted."""
        ...

    @property
    def splits(self) -> tuple[Split, ...]:
        """All splits that may ever happen."""
        ...

    def bars(self, symbol: str, last: int) -> Bars | None:
        """Return the bars of `symbol` up to the day `last`; None if there is no such symbol."""
        ...

    def kind(self, symbol: str) -> str:
        """Return the type of `symbol` in Polygon's codes, such as CS or ETF."""
        ...
