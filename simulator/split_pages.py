"""Bodies of the splits endpoint: a query, a market and a day come in, JSON payloads go out.

A cursor is the query with the id of the last row.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from simulator.market import Market, Split
from simulator.paging import choice_of, cursor_of, limit_of, query_of, within
from simulator.sessions import date_of

_MOST: Final = 1000
_SORTS: Final = ("execution_date", "ticker")
_ORDERS: Final = ("asc", "desc")

Row = dict[str, Any]


class SplitPages:
    """The JSON of the list of splits."""

    def __init__(self, market: Market, *, twice: bool) -> None:
        copies = range(2 if twice else 1)
        self._rows = [(split.day, _row(split, copy)) for split in market.splits for copy in copies]

    def payload(self, query: Mapping[str, str], base_url: str, day: int) -> dict[str, Any]:
        """Return a page of the splits up to `day`; ValueError if the query is not understood."""
        query = query_of(query)
        limit = limit_of(query, default=10, most=_MOST)
        rows = self._selected(query, day)
        start = _start(rows, query.get("after"))
        page = rows[start : start + limit]
        payload = {"results": page, "status": "OK", "request_id": "0" * 32}
        if start + limit < len(rows):
            cursor = cursor_of(dict(query) | {"after": page[-1]["id"]})
            payload["next_url"] = f"{base_url}/v3/reference/splits?cursor={cursor}"
        return payload

    def _selected(self, query: Mapping[str, str], day: int) -> list[Row]:
        _check_dates(query)
        sort = choice_of(query, "sort", _SORTS)
        order = choice_of(query, "order", _ORDERS) or ("asc" if sort else "desc")
        reverse = choice_of(query, "reverse_split", ("true", "false"))
        rows = [row for happened, row in self._rows if happened <= day]
        for name in ("ticker", "execution_date"):
            rows = [row for row in rows if within(query, name, row[name])]
        if reverse is not None:
            rows = [row for row in rows if _is_reverse(row) == (reverse == "true")]
        names = ("ticker", "execution_date") if sort == "ticker" else _SORTS
        rows.sort(key=lambda row: (*(row[name] for name in names), row["id"]))
        return rows[::-1] if order == "desc" else rows


def _row(split: Split, copy: int) -> Row:
    date = date_of(split.day).isoformat()
    text = f"{split.symbol}:{date}:{copy}"
    return {
        "id": "E" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
        "execution_date": date,
        "split_from": _short(split.split_from),
        "split_to": _short(split.split_to),
        "ticker": split.symbol,
    }


def _short(number: float) -> float:
    return int(number) if number.is_integer() else number


def _is_reverse(row: Row) -> bool:
    return bool(row["split_from"] > row["split_to"])


def _start(rows: list[Row], after: str | None) -> int:
    if after is None:
        return 0
    places = [place for place, row in enumerate(rows) if row["id"] == after]
    if not places:
        raise ValueError("cursor: expected one of this list, got one that is not in it any more")
    return places[0] + 1


def _check_dates(query: Mapping[str, str]) -> None:
    for name, value in query.items():
        if name.startswith("execution_date") and not _is_date(value):
            raise ValueError(f"{name}: expected YYYY-MM-DD, got {value!r:.40}")


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
