"""The market at a moment: a market of all days and a clock come in, the bars up to then go out.

While a session is open its bar is forming: it begins at the open, stays within the final bar and
ends as it.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np

from simulator.market import Bars, Market
from simulator.sessions import EXCHANGE_ZONE, all_sessions, closing_time, day_of
from simulator.splits import Splits, seen

_OPEN: Final = dt.time(9, 30)


class ClockedMarket:
    """The bars of a market that there are at `now`."""

    def __init__(self, market: Market, splits: Splits, now: dt.datetime) -> None:
        self.market = market
        self.splits = splits
        self.now = now.astimezone(EXCHANGE_ZONE)
        past = all_sessions()
        self.last_day = int(past[np.searchsorted(past, self._last_open(), side="right") - 1])
        #: Share of the last session that has passed: 1 when it is over.
        self.share = self._share_of_session()

    def _last_open(self) -> int:
        today = day_of(self.now.date())
        return today if self.now.time() >= _OPEN else today - 1

    def _share_of_session(self) -> float:
        if self.last_day != day_of(self.now.date()):
            return 1.0
        start = dt.datetime.combine(self.now.date(), _OPEN, EXCHANGE_ZONE)
        end = dt.datetime.combine(self.now.date(), closing_time(self.now.date()), EXCHANGE_ZONE)
        return min(1.0, (self.now - start) / (end - start))

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, sorted."""
        return self.market.symbols

    def kind(self, symbol: str) -> str:
        """Return the type of `symbol`."""
        return self.market.kind(symbol)

    def bars(self, symbol: str, *, adjusted: bool = True) -> Bars | None:
        """Return the bars of `symbol` so far; None if there is no such symbol."""
        every = self.market.bars(symbol)
        if every is None:
            return None
        bars = every.between(int(every.days[0]) if every.days.size else 0, self.last_day)
        if self.share < 1.0 and bars.days.size and bars.days[-1] == self.last_day:
            bars = _forming(bars, self.share)
        return seen(
            bars,
            self.splits.of(symbol),
            anchor=self.splits.anchor,
            until=day_of(self.now.date()),
            adjusted=adjusted,
        )


def _forming(bars: Bars, share: float) -> Bars:
    """Return `bars` with the last one as it was when `share` of its session had passed."""
    values = bars.values.copy()
    start, high, low, close, volume = values[:, -1]
    so_far = start + (close - start) * share
    values[1, -1] = max(start, so_far, start + (high - start) * share)
    values[2, -1] = min(start, so_far, start + (low - start) * share)
    values[3, -1] = so_far
    values[:4, -1] = np.round(values[:4, -1], 2)
    values[4, -1] = max(1.0, np.floor(volume * share))
    return Bars(days=bars.days, values=values)
