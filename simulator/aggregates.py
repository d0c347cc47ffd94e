"""Bodies of the bar endpoints: a question and a market come in, JSON bytes go to `app`.

Bodies of whole answers are cached, because a scan asks the same range of every symbol.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import orjson

from simulator.market import Bars, FloatArray, Seen, WholeDays
from simulator.sessions import date_of, milliseconds

#: Bytes of JSON that are kept.
_CACHE_BYTES: Final = 256_000_000

Payload = dict[str, Any]
Spoiler = Callable[[Payload], Payload]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeQuestion:
    """One request for the daily bars of one symbol."""

    symbol: str
    #: First and last day, both included, since 1970-01-01.
    first: int
    last: int
    adjusted: bool
    descending: bool
    #: Bars a page.
    limit: int


def _cursor(question: RangeQuestion) -> str:
    order = "desc" if question.descending else "asc"
    text = f"adjusted={str(question.adjusted).lower()}&limit={question.limit}&sort={order}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _records(values: FloatArray, times: list[int]) -> list[Payload]:
    start, high, low, close, volume = values
    whole = bool((volume == np.floor(volume)).all())
    columns = (
        (volume.astype(np.int64) if whole else volume).tolist(),
        np.round((high + low + close) / 3, 4).tolist(),
        start.tolist(),
        close.tolist(),
        high.tolist(),
        low.tolist(),
        times,
        ((volume / 90).astype(np.int64) + 1).tolist(),
    )
    return [
        {"v": v, "vw": vw, "o": o, "c": c, "h": h, "l": lo, "t": t, "n": n}
        for v, vw, o, c, h, lo, t, n in zip(*columns, strict=True)
    ]


class Aggregates:
    """The JSON of range and grouped answers."""

    def __init__(self, market: Seen) -> None:
        self._market = market
        self._days = WholeDays(market)
        self._cache: OrderedDict[object, bytes] = OrderedDict()
        self._cached_bytes = 0

    def range_body(self, question: RangeQuestion, base_url: str, spoil: Spoiler | None) -> bytes:
        """Return the answer to `question`; `spoil` changes it on purpose."""
        if spoil is not None:
            return orjson.dumps(spoil(self._range_payload(question, base_url)))
        key = (question, base_url)
        body = self._cache.get(key)
        if body is None:
            body = orjson.dumps(self._range_payload(question, base_url))
            self._keep(key, body)
        return body

    def rows(self, day: int) -> tuple[list[str], FloatArray]:
        """Return the symbols with a bar on `day`, and their (5, symbols) adjusted values."""
        return self._days.rows(day, adjusted=True)

    def grouped_body(self, day: int, *, adjusted: bool, spoil: Spoiler | None = None) -> bytes:
        """Return the bars of all symbols on `day`; `spoil` changes it on purpose."""
        if spoil is not None:
            return orjson.dumps(spoil(self._grouped_payload(day, adjusted=adjusted)))
        key = (day, adjusted)
        body = self._cache.get(key)
        if body is None:
            body = orjson.dumps(self._grouped_payload(day, adjusted=adjusted))
            self._keep(key, body)
        return body

    def _keep(self, key: object, body: bytes) -> None:
        self._cache[key] = body
        self._cached_bytes += len(body)
        while self._cached_bytes > _CACHE_BYTES:
            self._cached_bytes -= len(self._cache.popitem(last=False)[1])

    def _range_payload(self, question: RangeQuestion, base_url: str) -> Payload:
        known = self._market.bars(question.symbol, adjusted=question.adjusted)
        bars = known.between(question.first, question.last) if known is not None else None
        count = min(bars.days.size, question.limit) if bars is not None else 0
        payload: Payload = {
            "ticker": question.symbol,
            "queryCount": count,
            "resultsCount": count,
            "adjusted": question.adjusted,
        }
        if bars is not None and count:
            payload["results"] = _page(bars, question)
        payload |= {"status": "OK", "request_id": _request_id(question.symbol), "count": count}
        if bars is not None and bars.days.size > count:
            payload["next_url"] = _next_url(bars, question, base_url)
        return payload

    def _grouped_payload(self, day: int, *, adjusted: bool) -> Payload:
        symbols, values = self._days.rows(day, adjusted=adjusted)
        count = len(symbols)
        payload: Payload = {"queryCount": count, "resultsCount": count, "adjusted": adjusted}
        if count:
            rows = _records(values, [milliseconds(day, 16)] * count)
            payload["results"] = [
                {"T": symbol} | row for symbol, row in zip(symbols, rows, strict=True)
            ]
        request_id = _request_id(date_of(day).isoformat())
        return payload | {"status": "OK", "request_id": request_id, "count": count}


def _page(bars: Bars, question: RangeQuestion) -> list[Payload]:
    order = slice(None, None, -1) if question.descending else slice(None)
    page = slice(question.limit)
    values = bars.values[:, order][:, page]
    days = bars.days[order][page].tolist()
    return _records(values, [milliseconds(day, 0) for day in days])


def _next_url(bars: Bars, question: RangeQuestion, base_url: str) -> str:
    if question.descending:
        first, last = question.first, int(bars.days[-question.limit - 1])
    else:
        first, last = int(bars.days[question.limit]), question.last
    path = f"/v2/aggs/ticker/{quote(question.symbol, safe='')}/range/1/day"
    ends = f"{milliseconds(first, 0)}/{milliseconds(last, 0)}"
    return f"{base_url}{path}/{ends}?cursor={_cursor(question)}"


def _request_id(text: str) -> str:
    return text.encode().hex().rjust(32, "0")[:32]
