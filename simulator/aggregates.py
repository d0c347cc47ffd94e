"""Bodies of the bar endpoints: a question and a moment come in, JSON bytes go to `app`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from simulator.bodies import Bodies, Payload, Spoiler, request_id
from simulator.clock import Moment
from simulator.market import Bars
from simulator.paging import cursor_of
from simulator.sessions import date_of, milliseconds
from simulator.tape import Tape, View


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


class Aggregates:
    """The JSON of range and grouped answers."""

    def __init__(self, tape: Tape, bodies: Bodies) -> None:
        self._tape = tape
        self._bodies = bodies

    def range_body(
        self, question: RangeQuestion, moment: Moment, base_url: str, spoil: Spoiler | None
    ) -> bytes:
        """Return the answer to `question`; `spoil` changes it on purpose."""
        return self._bodies.get(
            (question, moment, base_url),
            lambda: self._range_payload(question, moment, base_url),
            spoil,
        )

    def grouped_body(
        self, day: int, moment: Moment, *, adjusted: bool, spoil: Spoiler | None
    ) -> bytes:
        """Return the bars of all symbols on `day`; `spoil` changes them on purpose."""
        return self._bodies.get(
            ("grouped", day, moment, adjusted),
            lambda: self._grouped_payload(day, moment, adjusted=adjusted),
            spoil,
        )

    def _range_payload(self, question: RangeQuestion, moment: Moment, base_url: str) -> Payload:
        known = self._tape.bars(question.symbol, moment)
        bars = known.between(question.first, question.last) if known is not None else None
        count = min(bars.days.size, question.limit) if bars is not None else 0
        payload: Payload = {
            "ticker": question.symbol,
            "queryCount": count,
            "resultsCount": count,
            "adjusted": question.adjusted,
        }
        if bars is not None and count:
            payload["results"] = self._page(bars, question, moment)
        payload |= {"status": "OK", "request_id": request_id(question.symbol), "count": count}
        if bars is not None and bars.days.size > count:
            payload["next_url"] = _next_url(bars, question, base_url)
        return payload

    def _page(self, bars: Bars, question: RangeQuestion, moment: Moment) -> list[Payload]:
        order = slice(None, None, -1) if question.descending else slice(None)
        page = slice(question.limit)
        shown = Bars(days=bars.days[order][page], values=bars.values[:, order][:, page])
        view = self._tape.view(question.symbol, shown, moment, adjusted=question.adjusted)
        return _records(view, [milliseconds(day, 0) for day in shown.days.tolist()])

    def _grouped_payload(self, day: int, moment: Moment, *, adjusted: bool) -> Payload:
        symbols, view = self._tape.rows(day, moment, adjusted=adjusted)
        count = len(symbols)
        payload: Payload = {"queryCount": count, "resultsCount": count, "adjusted": adjusted}
        if count:
            rows = _records(view, [milliseconds(day, 16)] * count)
            payload["results"] = [
                {"T": symbol} | row for symbol, row in zip(symbols, rows, strict=True)
            ]
        answer_id = request_id(date_of(day).isoformat())
        return payload | {"status": "OK", "request_id": answer_id, "count": count}


def _records(view: View, times: list[int]) -> list[Payload]:
    columns = view.lists()
    numbers = (*(columns[name] for name in ("v", "vw", "o", "c", "h", "l")), times, columns["n"])
    return [
        {"v": v, "vw": vw, "o": o, "c": c, "h": h, "l": lo, "t": t, "n": n}
        for v, vw, o, c, h, lo, t, n in zip(*numbers, strict=True)
    ]


def _next_url(bars: Bars, question: RangeQuestion, base_url: str) -> str:
    if question.descending:
        first, last = question.first, int(bars.days[-question.limit - 1])
    else:
        first, last = int(bars.days[question.limit]), question.last
    path = f"/v2/aggs/ticker/{quote(question.symbol, safe='')}/range/1/day"
    ends = f"{milliseconds(first, 0)}/{milliseconds(last, 0)}"
    cursor = cursor_of(
        {
            "adjusted": str(question.adjusted).lower(),
            "limit": str(question.limit),
            "sort": "desc" if question.descending else "asc",
        }
    )
    return f"{base_url}{path}/{ends}?cursor={cursor}"
