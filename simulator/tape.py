"""The bars of a market as they are seen: a Market and a Moment come in, Views go to the bodies.

Sessions that have not begun do not exist, one that goes on has the bar it has so far, and
prices are as they were traded, or adjusted by the splits up to the day of the moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulator.clock import Moment
from simulator.forming import draw_ways, so_far
from simulator.market import Bars, DayArray, FloatArray, Market
from simulator.splits import SplitBook

#: Sessions after the one asked for that are built with it, because the clock will move on.
_AHEAD: Final = 21

Table = tuple[DayArray, npt.NDArray[np.int64], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Bars beside what they are multiplied by."""

    #: (5, bars) open, high, low, close, volume, adjusted up to the base of the market.
    values: FloatArray
    #: (bars,) what prices are multiplied by and volumes divided by.
    scale: FloatArray

    def columns(self) -> dict[str, FloatArray]:
        """Return the numbers of a bar by Polygon's names; `n` is the number of trades."""
        start, high, low, close, volume = self.values
        weighted = np.round((high + low + close) / 3, 4)
        prices = {"vw": weighted, "o": start, "c": close, "h": high, "l": low}
        shown = {name: price * self.scale for name, price in prices.items()}
        trades = np.floor(volume / 90) + 1
        return {"v": volume / self.scale} | shown | {"n": trades}

    def lists(self) -> dict[str, list[Any]]:
        """Return the columns as numbers for JSON, whole volumes without a fraction."""
        columns: dict[str, npt.NDArray[Any]] = dict(self.columns())
        columns["n"] = columns["n"].astype(np.int64)
        if (columns["v"] == np.floor(columns["v"])).all():
            columns["v"] = columns["v"].astype(np.int64)
        return {name: column.tolist() for name, column in columns.items()}


class Tape:
    """What a market has shown up to a moment."""

    def __init__(self, market: Market, *, seed: int) -> None:
        self._market = market
        self._seed = seed
        self._book = SplitBook(market.splits, base_day=market.base_day, symbols=market.symbols)
        self._days = WholeDays(market)

    def bars(self, symbol: str, moment: Moment) -> Bars | None:
        """Return the bars of `symbol` up to `moment`, adjusted up to the base of the market."""
        bars = self._market.bars(symbol, moment.session)
        if bars is None or moment.share >= 1.0 or not bars.days.size:
            return bars
        if bars.days[-1] != moment.session:
            return bars
        ways = draw_ways(self._seed, [symbol], moment.session)
        values = bars.values.copy()
        values[:, -1:] = so_far(values[:, -1:], ways, moment.share)
        return Bars(days=bars.days, values=values)

    def view(self, symbol: str, bars: Bars, moment: Moment, *, adjusted: bool) -> View:
        """Return `bars` of `symbol` as traded, or adjusted up to the day of `moment`."""
        as_of = np.full_like(bars.days, moment.day) if adjusted else bars.days
        return View(values=bars.values, scale=self._book.scale(symbol, as_of))

    def rows(self, day: int, moment: Moment, *, adjusted: bool) -> tuple[list[str], View]:
        """Return the symbols with a bar on `day`, and their bars."""
        owners, values = self._days.rows(day, moment.session)
        symbols = [self._market.symbols[owner] for owner in owners]
        if day == moment.session and moment.share < 1.0:
            values = so_far(values, draw_ways(self._seed, symbols, day), moment.share)
        scale = self._book.scale_of_all(moment.day if adjusted else day)[owners]
        return symbols, View(values=values, scale=scale)


class WholeDays:
    """The bars of all symbols, by day."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._built_to = -1
        none = np.empty(0, dtype=np.int64)
        self._table: Table = (none, none, np.empty((5, 0)))

    def rows(self, day: int, last: int) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Return the places of the symbols with a bar on `day`, and their (5, symbols) values.

        None have one after the session `last`.
        """
        if last > self._built_to:
            sessions = self._market.sessions
            ahead = int(np.searchsorted(sessions, last)) + _AHEAD
            self._built_to = int(sessions[min(ahead, sessions.size - 1)])
            self._table = self._build()
        days, owners, values = self._table
        start, stop = np.searchsorted(days, (day, min(day, last) + 1))
        return owners[start:stop], values[:, start:stop]

    def _build(self) -> Table:
        market, last = self._market, self._built_to
        found = [(at, market.bars(symbol, last)) for at, symbol in enumerate(market.symbols)]
        every = [(at, bars) for at, bars in found if bars is not None]
        days = np.concatenate([bars.days for _, bars in every])
        owners = np.repeat([at for at, _ in every], [bars.days.size for _, bars in every])
        values = np.concatenate([bars.values for _, bars in every], axis=1)
        order = np.argsort(days, kind="stable")
        return days[order], owners[order], values[:, order]
