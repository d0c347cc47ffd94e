"""Polygon's answers about the whole market: rows come in, a day, splits or a listing go out.

A row that is none is left out or becomes NaN; it never costs the other symbols their bars.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np

from scanner.bars.adjust import Split
from scanner.bars.block import FIELDS, FloatArray
from scanner.bars.market_day import MarketDay
from scanner.bars.universe import Listed
from scanner.errors import InvalidSymbol, ProviderUnavailable
from scanner.spec import check_symbol
from scanner.timeframe import EXCHANGE_ZONE, day_date, day_number, parse_day

#: Names in a bar, in the order of FIELDS.
_NAMES: Final = ("o", "h", "l", "c", "v")


def market_day_of(session: int, rows: Sequence[object]) -> MarketDay:
    """Return the day of grouped rows; ProviderUnavailable if most of them are of another day."""
    _check_times(session, rows)
    bars = [(row.get("T"), row) for row in rows if isinstance(row, dict)]
    return _day(session, [(s, row) for s, row in bars if isinstance(s, str)])


def _check_times(session: int, rows: Sequence[object]) -> None:
    """Refuse rows whose `t`, some moment of the session's date there or in UTC, is of another.

    An answer is about one day: a hundred of its rows tell which.
    """
    some = rows[:: max(1, len(rows) // 100)]
    times = [row["t"] for row in some if isinstance(row, dict) and isinstance(row.get("t"), int)]
    begins, ends = (
        dt.datetime.combine(day_date(day), dt.time(), zone).timestamp() * 1e3
        for day, zone in ((session, dt.UTC), (session + 1, EXCHANGE_ZONE))
    )
    others = [time for time in times if not begins <= time <= ends]
    if 2 * len(others) > len(times):
        raise ProviderUnavailable(
            f"session {day_date(session)}: expected its bars, got {len(others):,} of "
            f"{len(times):,} of another day, the first at {others[0]} ms"
        )


def snapshot_of(session: int, rows: Sequence[object]) -> MarketDay:
    """Return the forming bars of a snapshot; a symbol that has not traded yet has none.

    Nor has one that was updated last before the session's day.
    """
    midnight = dt.datetime.combine(day_date(session), dt.time(), EXCHANGE_ZONE).timestamp() * 1e9
    bars = [
        (row.get("ticker"), row.get("day"))
        for row in rows
        if isinstance(row, dict) and not 0.0 < _number(row.get("updated")) < midnight
    ]
    return _day(
        session,
        [
            (s, day)
            for s, day in bars
            if isinstance(s, str) and isinstance(day, dict) and _traded(day)
        ],
    )


def _traded(day: Mapping[str, Any]) -> bool:
    """Return whether a snapshot's day is one: it is empty or all zeros before the open."""
    return any(day.get(name) for name in _NAMES)


def _day(session: int, bars: Sequence[tuple[str, Mapping[str, Any]]]) -> MarketDay:
    named = [(symbol, row) for symbol, row in bars if _is_symbol(symbol)]
    symbols = [symbol for symbol, _ in named]
    values = _values([row for _, row in named])
    places = dict(zip(symbols, range(len(symbols)), strict=True))
    if len(places) < len(symbols):
        for at, symbol in enumerate(symbols):
            # Of two bars of a session neither is believed, unless they are the same.
            if not np.array_equal(values[:, at], values[:, places[symbol]]):
                values[:, places[symbol]] = np.nan
        values = values[:, list(places.values())]
    return MarketDay(session=session, symbols=tuple(places), values=values)


def _values(rows: Sequence[Mapping[str, Any]]) -> FloatArray:
    """Return the (5, rows) numbers of `rows`, NaN for what is none."""
    try:
        columns = list(zip(*map(_pick, rows), strict=True))
    except KeyError:
        columns = [tuple(row.get(name) for row in rows) for name in _NAMES]
    out = np.full((len(FIELDS), len(rows)), np.nan)
    for at, column in enumerate(columns):
        numbers = set(map(type, column)) <= {int, float}
        out[at] = column if numbers else [_number(value) for value in column]
    return out


_pick: Final = itemgetter(*_NAMES)


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return math.nan


def _is_symbol(text: str) -> bool:
    try:
        check_symbol(text)
    except InvalidSymbol:
        return False
    return True


def splits_of(rows: Sequence[object]) -> list[Split]:
    """Return the splits of reference rows; one without a symbol or a date is left out."""
    return [split for row in rows if isinstance(row, dict) and (split := _split(row)) is not None]


def _split(row: Mapping[str, Any]) -> Split | None:
    symbol, date = row.get("ticker"), row.get("execution_date")
    if not isinstance(symbol, str) or not isinstance(date, str) or not _is_symbol(symbol):
        return None
    try:
        session = day_number(parse_day(date))
    except ValueError:
        return None
    before, after = _number(row.get("split_from")), _number(row.get("split_to"))
    return Split(symbol=symbol, session=session, before=before, after=after)


#: Text of the universe -> its name in a row of the listing.
_TEXTS: Final = {"name": "name", "type": "type", "exchange": "primary_exchange"}


def listed_of(row: object, subject: str) -> Listed:
    """Return what a row of the listing tells; ProviderUnavailable if it has no ticker."""
    symbol = row.get("ticker") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(symbol, str):
        raise ProviderUnavailable(f"{subject}: expected rows with a ticker, got {row!r:.80}")
    told = {name: row.get(key) for name, key in _TEXTS.items()}
    return Listed(
        symbol=symbol,
        texts={name: text for name, text in told.items() if isinstance(text, str) and text},
    )
