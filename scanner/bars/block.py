"""Bars in memory: providers and the cache make BarSeries, kernels read a BarBlock.

A series holds one symbol's own bars; a session without a trade is no bar. A block aligns
series at their last bar, so that time is the last axis and leading NaN is missing history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from scanner.errors import BadBars
from scanner.timeframe import day_date

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

#: Rows of `values`, in this order.
FIELDS: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class BarSeries:
    """One symbol's bars, oldest first."""

    symbol: str
    #: (bars,) int32 days since 1970-01-01, strictly increasing.
    sessions: IntArray
    #: (5, bars) float64: open, high, low, close in the listing's currency, volume in shares.
    values: FloatArray

    def __len__(self) -> int:
        return int(self.sessions.shape[0])

    def followed_by(self, later: BarSeries) -> BarSeries:
        """Return the bars with those of `later` behind them."""
        return BarSeries(
            symbol=self.symbol,
            sessions=np.concatenate([self.sessions, later.sessions]),
            values=np.concatenate([self.values, later.values], axis=1),
        )

    def between(self, first: int, last: int) -> BarSeries:
        """Return the bars with first <= session <= last, as views; all of them are the series."""
        if len(self) and self.sessions[0] >= first and self.sessions[-1] <= last:
            return self
        start, stop = np.searchsorted(self.sessions, (first, last + 1))
        return BarSeries(
            symbol=self.symbol,
            sessions=self.sessions[start:stop],
            values=self.values[:, start:stop],
        )


def checked_series(symbol: str, sessions: npt.ArrayLike, values: npt.ArrayLike) -> BarSeries:
    """Return a BarSeries sorted by session; BadBars if a bar cannot be true.

    `sessions`: (bars,) days since 1970-01-01 in any order; `values`: (5, bars).
    Refused are repeated sessions, prices that are not finite and positive, volumes that are
    not finite or are negative, and a high below the low.
    """
    days = np.asarray(sessions, dtype=np.int32)
    bars = np.asarray(values, dtype=np.float64)
    if bars.shape != (len(FIELDS), days.shape[0]):
        raise BadBars(
            f"{symbol}: expected 5 values for each of {days.shape[0]} bars, got {bars.shape}"
        )
    if days.size > 1 and not (np.diff(days) > 0).all():
        order = np.argsort(days, kind="stable")
        days, bars = days[order], bars[:, order]
        repeated = days[1:][np.diff(days) == 0]
        if repeated.size:
            raise BadBars(
                f"{symbol}: expected one bar a session, got more on {day_date(repeated[0])}"
            )
    _check_values(symbol, days, bars)
    return BarSeries(symbol=symbol, sessions=days, values=bars)


def can_be_true(bars: FloatArray) -> BoolArray:
    """Return which of `bars`, (5, ...), are none of those that `checked_series` refuses."""
    prices, volume = bars[:4], bars[4]
    priced = (np.isfinite(prices) & (prices > 0.0)).all(axis=0)
    sound: BoolArray = priced & np.isfinite(volume) & (volume >= 0.0) & (prices[1] >= prices[2])
    return sound


def _check_values(symbol: str, days: IntArray, bars: FloatArray) -> None:
    if can_be_true(bars).all():
        return
    prices, volume = bars[:4], bars[4]
    bad_price = ~(np.isfinite(prices) & (prices > 0.0)).all(axis=0)
    if bad_price.any():
        at = int(np.argmax(bad_price))
        got = ", ".join(f"{x:g}" for x in prices[:, at])
        raise BadBars(
            f"{symbol}: expected positive prices on {day_date(days[at])}, got {got} "
            "(open, high, low, close)"
        )
    bad_volume = ~(np.isfinite(volume) & (volume >= 0.0))
    if bad_volume.any():
        at = int(np.argmax(bad_volume))
        raise BadBars(
            f"{symbol}: expected a volume of 0 or more on {day_date(days[at])}, got {volume[at]:g}"
        )
    crossed = prices[1] < prices[2]
    if crossed.any():
        at = int(np.argmax(crossed))
        raise BadBars(
            f"{symbol}: expected high >= low on {day_date(days[at])}, "
            f"got {prices[1, at]:g} < {prices[2, at]:g}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BarBlock:
    """The bars of several symbols, aligned at the last bar."""

    symbols: tuple[str, ...]
    #: (symbols,) int32 number of bars of each symbol.
    counts: IntArray
    #: (symbols, bars) int32 days since 1970-01-01; -1 before a symbol's first bar.
    sessions: IntArray
    #: (5, symbols, bars) float64 in the order of FIELDS; NaN before a symbol's first bar.
    #: Neighbouring symbols are neighbours in memory, so that one bar of all is contiguous.
    values: FloatArray

    def _field(self, index: int) -> FloatArray:
        row: FloatArray = self.values[index]
        return row

    @property
    def open(self) -> FloatArray:
        """(symbols, bars) first price of each bar."""
        return self._field(0)

    @property
    def high(self) -> FloatArray:
        """(symbols, bars) highest price of each bar."""
        return self._field(1)

    @property
    def low(self) -> FloatArray:
        """(symbols, bars) lowest price of each bar."""
        return self._field(2)

    @property
    def close(self) -> FloatArray:
        """(symbols, bars) last price of each bar."""
        return self._field(3)

    @property
    def volume(self) -> FloatArray:
        """(symbols, bars) shares traded in each bar; may be fractional."""
        return self._field(4)


def stack(series: Sequence[BarSeries]) -> BarBlock:
    """Return the block of `series`, in their order; it is as wide as the longest of them."""
    counts = np.array([len(one) for one in series], dtype=np.int32)
    width = int(counts.max(initial=0))
    sessions = np.full((width, len(series)), -1, dtype=np.int32).T
    values = np.full((len(FIELDS), width, len(series)), np.nan).transpose(0, 2, 1)
    for row, one in enumerate(series):
        start = width - len(one)
        sessions[row, start:] = one.sessions
        values[:, row, start:] = one.values
    return BarBlock(
        symbols=tuple(one.symbol for one in series),
        counts=counts,
        sessions=sessions,
        values=values,
    )
