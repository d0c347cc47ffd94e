"""What requests ask: paths and queries come from `app`, questions go to the bodies.

ValueError says what of a request cannot be understood.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from starlette.requests import Request

from simulator.aggregates import RangeQuestion
from simulator.paging import limit_of, query_of
from simulator.sessions import day_at, day_of

_MOST_BARS: Final = 50_000


def range_question(request: Request) -> RangeQuestion:
    """Return what a request for the bars of a symbol asks."""
    path = request.path_params
    if (path["multiplier"], path["timespan"]) != ("1", "day"):
        raise ValueError("the simulator has daily bars only: expected range/1/day")
    query = query_of(request.query_params)
    first, last = _day("from", path["first"]), _day("to", path["last"])
    if last < first:
        raise ValueError("'to' cannot be a time that occurs before 'from'")
    return RangeQuestion(
        symbol=path["ticker"],
        first=first,
        last=last,
        adjusted=query.get("adjusted", "true") != "false",
        descending=query.get("sort", "asc") == "desc",
        limit=limit_of(query, default=5000, most=_MOST_BARS),
    )


def _day(name: str, text: str) -> int:
    try:
        if len(text) == 10 and text[4] == "-":
            return day_of(dt.date.fromisoformat(text))
        return day_at(int(text))
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(
            f"Could not parse the time parameter: '{name}'. Use YYYY-MM-DD or Unix MS Timestamps"
        ) from error


async def time_asked(request: Request) -> dt.datetime:
    """Return the time to which the simulator's clock is to be set."""
    body = await request.json()
    now = body.get("now") if isinstance(body, dict) else None
    try:
        return dt.datetime.fromisoformat(str(now))
    except ValueError as error:
        raise ValueError(
            f"now: expected an ISO 8601 time with an offset, got {now!r:.40}"
        ) from error


async def faults_asked(request: Request) -> tuple[list[str], int]:
    """Return the faults, as texts, that are to be made, and after how many true answers."""
    body = await request.json()
    texts = body.get("faults") if isinstance(body, dict) else None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"faults: expected a list of texts as cut=0.05, got {texts!r:.40}")
    after = body.get("after", 0)
    if not isinstance(after, int) or after < 0:
        raise ValueError(f"after: expected a number of answers, got {after!r:.40}")
    return texts, after


def base_url(request: Request) -> str:
    """Return the address by which the simulator was asked."""
    host = request.headers.get("host") or "{}:{}".format(*request.scope["server"])
    return f"{request.scope['scheme']}://{host}"
