"""Bodies of the snapshot endpoints: a clock and a choice of symbols come in, JSON goes to `app`.

A row holds the day of a symbol so far, the session before and the last minute. Before the open
of a session its day is all zeros.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Final

from simulator.bodies import Bodies, Payload, Spoiler
from simulator.clock import Clock, Moment
from simulator.market import Market
from simulator.sessions import close_of, open_of
from simulator.tape import Tape

_DAY: Final = ("o", "h", "l", "c", "v", "vw")
_MINUTE: Final = dt.timedelta(minutes=1)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Row = dict[str, Any]
_NOTHING: Final[Row] = dict.fromkeys((*_DAY, "n"), 0)


class Snapshots:
    """The JSON of the whole market as it stands, and of one symbol."""

    def __init__(self, market: Market, tape: Tape, clock: Clock, bodies: Bodies) -> None:
        self._symbols = market.symbols
        self._tape = tape
        self._clock = clock
        self._bodies = bodies
        self._made: tuple[Moment, dict[str, Row]] | None = None

    def body(self, tickers: str | None, spoil: Spoiler | None) -> bytes:
        """Return the rows of all symbols with a bar in the last two sessions.

        `tickers` names some of them, with commas between.
        """
        key = ("snapshot", self._clock.moment, tickers)
        return self._bodies.get(key, lambda: self._payload(tickers), spoil)

    def one_body(self, symbol: str, spoil: Spoiler | None) -> bytes | None:
        """Return the row of `symbol`; None if there is no such symbol."""
        if symbol not in self._symbols:
            return None
        key = ("snapshot of", self._clock.moment, symbol)
        return self._bodies.get(key, lambda: self._one_payload(symbol), spoil)

    def _payload(self, tickers: str | None) -> Payload:
        wanted = self._symbols if tickers is None else tickers.split(",")
        rows = self._rows()
        found = [rows[symbol] for symbol in wanted if symbol in rows]
        return {"tickers": found, "status": "OK", "request_id": "0" * 32, "count": len(found)}

    def _one_payload(self, symbol: str) -> Payload:
        row = self._rows().get(symbol) or _row(symbol, self._last_trade(), (_NOTHING,) * 3)
        return {"ticker": row, "status": "OK", "request_id": "0" * 32}

    def _rows(self) -> dict[str, Row]:
        """Return the rows of all symbols; they are made once for a moment."""
        moment = self._clock.moment
        if self._made is None or self._made[0] != moment:
            self._made = (moment, self._make_rows())
        return self._made[1]

    def _make_rows(self) -> dict[str, Row]:
        session = self._clock.moment.session
        before: int | None = session
        days: dict[str, Row] = {}
        earlier: dict[str, Row] = {}
        if not self._clock.before_open:
            before = self._clock.before(session)
            days, earlier = self._bars(session), self._bars(session, minutes_ago=1)
        past = self._bars(before) if before is not None else {}
        tables, last_trade = (days, past, earlier), self._last_trade()
        rows = {}
        for symbol in self._symbols:
            if symbol in days or symbol in past:
                day, day_before, minute_before = (one.get(symbol, _NOTHING) for one in tables)
                rows[symbol] = _row(symbol, last_trade, (day, day_before, minute_before))
        return rows

    def _bars(self, day: int, minutes_ago: int = 0) -> dict[str, Row]:
        """Return the bar of each symbol on `day`, some minutes ago if it is the last session."""
        moment = self._clock.moment
        if minutes_ago:
            part = minutes_ago * _MINUTE / (close_of(day) - open_of(day))
            moment = replace(moment, share=max(moment.share - part, 0.0))
        symbols, view = self._tape.rows(day, moment, adjusted=True)
        columns = view.lists()
        numbers = zip(*(columns[name] for name in _NOTHING), strict=True)
        rows = (dict(zip(_NOTHING, row, strict=True)) for row in numbers)
        return dict(zip(symbols, rows, strict=True))

    def _last_trade(self) -> dt.datetime:
        return min(self._clock.now, close_of(self._clock.moment.session))


def _row(symbol: str, last_trade: dt.datetime, bars: tuple[Row, Row, Row]) -> Row:
    """Return the row of a symbol by its day, the session before, and its day a minute ago."""
    day, past, earlier = bars
    known = bool(day["c"] and past["c"])
    change = day["c"] - past["c"] if known else 0.0
    return {
        "ticker": symbol,
        "todaysChange": change,
        "todaysChangePerc": 100.0 * change / past["c"] if known else 0.0,
        "updated": (last_trade - _EPOCH) // dt.timedelta(microseconds=1) * 1000,
        "day": {name: day[name] for name in _DAY},
        "min": _minute(day, earlier, last_trade),
        "prevDay": {name: past[name] for name in _DAY},
    }


def _minute(day: Row, earlier: Row, last_trade: dt.datetime) -> Row:
    """Return the bar of the minute that ends with the last trade; zeros before the open."""
    if not day["c"]:
        return {"av": 0, "t": 0} | _NOTHING
    start, end = earlier["c"], day["c"]
    high, low = max(start, end), min(start, end)
    return {
        "av": day["v"],
        "t": (last_trade - _MINUTE - _EPOCH) // _MINUTE * 60_000,
        "o": start,
        "h": high,
        "l": low,
        "c": end,
        "v": day["v"] - earlier["v"],
        "vw": (high + low + end) / 3,
        "n": day["n"] - earlier["n"],
    }
