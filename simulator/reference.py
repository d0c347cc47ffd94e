"""Splits, latest bars and the calendar: a market at a moment comes in, JSON bytes go to `app`."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import numpy as np
import orjson

from simulator.aggregates import Aggregates
from simulator.clocked import ClockedMarket
from simulator.sessions import (
    EXCHANGE_ZONE,
    all_sessions,
    closing_time,
    date_of,
    day_of,
    parse_date,
)
from simulator.splits import Split, executed

_MOST: Final = 1000
_BAR: Final = ("o", "h", "l", "c", "v")
#: Days of the calendar that are told in advance.
_AHEAD: Final = 200


class Reference:
    """The JSON of splits, snapshots and the calendar."""

    def __init__(self, market: ClockedMarket, aggregates: Aggregates, *, repeat: bool) -> None:
        self._market = market
        self._aggregates = aggregates
        self._repeat = repeat
        self._splits: list[tuple[int, str, Split]] | None = None

    def splits_body(self, query: Mapping[str, str], base_url: str) -> bytes:
        """Return one page of splits; ValueError if the query cannot be understood."""
        query = _query_of(query)
        limit, start = int(query.get("limit", 10)), int(query.get("at", 0))
        if not 1 <= limit <= _MOST:
            raise ValueError(f"limit: expected 1 to {_MOST}, got {limit}")
        rows = [row for row in self._split_rows() if _is_asked(row, query)]
        if query.get("order") == "desc":
            rows.reverse()
        page = rows[start : start + limit]
        payload: dict[str, Any] = {"results": page, "status": "OK", "request_id": "0" * 32}
        if start + limit < len(rows):
            kept = {name: value for name, value in query.items() if name.lower() != "apikey"}
            text = urlencode(kept | {"at": str(start + limit)})
            cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
            payload["next_url"] = f"{base_url}/v3/reference/splits?cursor={cursor}"
        return orjson.dumps(payload)

    def _split_rows(self) -> list[dict[str, Any]]:
        if self._splits is None:
            today = day_of(self._market.now.date())
            self._splits = executed(self._market.splits, self._market.symbols, today)
        return [
            {
                "id": f"E{day}{symbol}{copy}",
                "execution_date": date_of(day).isoformat(),
                "split_from": split.before,
                "split_to": split.after,
                "ticker": symbol,
            }
            for day, symbol, split in self._splits
            for copy in range(1 + self._repeat)
        ]

    def snapshot_body(self, wanted: frozenset[str] | None) -> bytes:
        """Return the latest and the previous bar of `wanted` symbols, of all for None."""
        rows = [row for row in self._snapshots() if wanted is None or row["ticker"] in wanted]
        return orjson.dumps({"tickers": rows, "status": "OK", "count": len(rows)})

    def one_snapshot(self, symbol: str) -> bytes | None:
        """Return the latest and the previous bar of one symbol; None if it is not known."""
        found = next((row for row in self._snapshots() if row["ticker"] == symbol), None)
        if found is None:
            return None
        return orjson.dumps({"ticker": found, "status": "OK", "request_id": "0" * 32})

    def _snapshots(self) -> list[dict[str, Any]]:
        days = all_sessions()
        today = day_of(self._market.now.date())
        place = int(np.searchsorted(days, today))
        is_session = place < days.size and days[place] == today
        latest = self._bars_of(today) if is_session and self._market.last_day == today else {}
        before = self._bars_of(int(days[place - 1]))
        updated = int(self._market.now.timestamp()) * 1_000_000_000
        return [
            _snapshot(symbol, latest.get(symbol), before.get(symbol), updated)
            for symbol in self._market.symbols
            if symbol in latest or symbol in before
        ]

    def _bars_of(self, day: int) -> dict[str, dict[str, float]]:
        symbols, values = self._aggregates.rows(day)
        rows = values.T.tolist()
        return {
            symbol: dict(zip(_BAR, row, strict=True))
            for symbol, row in zip(symbols, rows, strict=True)
        }

    def upcoming_body(self) -> bytes:
        """Return the next holidays and early closes, a bare array."""
        today = self._market.now.date()
        known = set(all_sessions().tolist())
        days = (today + dt.timedelta(days=ahead) for ahead in range(_AHEAD))
        rows = [row for day in days for row in _calendar_rows(day, open_=day_of(day) in known)]
        return orjson.dumps(rows)


def _snapshot(
    symbol: str, day: dict[str, float] | None, before: dict[str, float] | None, updated: int
) -> dict[str, Any]:
    nothing = dict.fromkeys((*_BAR, "vw"), 0)
    change = day["c"] - before["c"] if day and before else 0.0
    return {
        "ticker": symbol,
        "todaysChange": round(change, 4),
        "todaysChangePerc": round(100.0 * change / before["c"], 4) if before else 0.0,
        "updated": updated,
        "day": nothing if day is None else day | {"vw": round((day["h"] + day["l"]) / 2, 4)},
        "min": nothing | {"av": int(day["v"]) if day else 0, "t": updated // 1_000_000},
        "prevDay": nothing if before is None else before | {"vw": before["c"]},
    }


def _calendar_rows(day: dt.date, *, open_: bool) -> list[dict[str, str]]:
    closing = closing_time(day)
    base = {"date": day.isoformat(), "name": "Holiday"}
    if not open_:
        if day.weekday() >= 5:
            return []
        return [base | {"exchange": name, "status": "closed"} for name in ("NYSE", "NASDAQ")]
    if closing.hour == 16:
        return []
    times = {
        name: dt.datetime.combine(day, time, EXCHANGE_ZONE).astimezone(dt.UTC).isoformat()
        for name, time in (("open", dt.time(9, 30)), ("close", closing))
    }
    early = base | {"status": "early-close"} | times
    return [early | {"exchange": name} for name in ("NYSE", "NASDAQ")]


def _is_asked(row: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    if "ticker" in query and row["ticker"] != query["ticker"]:
        return False
    reverse = row["split_from"] > row["split_to"]
    if "reverse_split" in query and (query["reverse_split"] == "true") != reverse:
        return False
    date = row["execution_date"]
    for name, holds in _BOUNDS.items():
        if name in query and not holds(date, parse_date(query[name]).isoformat()):
            return False
    return True


_BOUNDS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "execution_date": lambda date, bound: date == bound,
    "execution_date.gt": lambda date, bound: date > bound,
    "execution_date.gte": lambda date, bound: date >= bound,
    "execution_date.lt": lambda date, bound: date < bound,
    "execution_date.lte": lambda date, bound: date <= bound,
}


def _query_of(query: Mapping[str, str]) -> Mapping[str, str]:
    cursor = query.get("cursor")
    if cursor is None:
        return query
    padded = cursor + "=" * (-len(cursor) % 4)
    return dict(parse_qsl(base64.urlsafe_b64decode(padded).decode()))
