"""Polygon's answers: status and body come from `polygon_http`, payloads, bars and errors go back.

Nothing here sends or waits; every message names the subject, what was expected and what came.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Final

import numpy as np
import orjson

from scanner.bars.block import BarSeries, checked_series
from scanner.errors import (
    BadBars,
    DataError,
    KeyRefused,
    NotEntitled,
    ProviderUnavailable,
    RateLimited,
    ScannerError,
    UnknownSymbol,
)
from scanner.plain import plain
from scanner.timeframe import day_date, day_number

Payload = dict[str, Any]

#: DELAYED is what 15-minute plans get; the bars are the same.
_GOOD_STATUSES: Final = frozenset({"OK", "DELAYED"})

#: The status of a provider that is asked too often.
TOO_MANY: Final = 429

#: Statuses that urllib3 asks again for, and that are left when it gives up.
RETRIED_STATUSES: Final = frozenset({TOO_MANY, 499, 500, 502, 503, 504})

_MS_A_DAY: Final = 86_400_000

#: Longest text of the provider's that is passed on.
_MOST_TEXT: Final = 200

#: Names in a bar: session, then the order of FIELDS.
_NAMES: Final = ("t", "o", "h", "l", "c", "v")
_pick: Final = itemgetter(*_NAMES)


def decoded(body: bytes) -> Payload | None:
    """Return the JSON object in `body`; None if there is none."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return payload if isinstance(payload, dict) else None


def is_failure(status: int) -> bool:
    """Return whether a status tells of a provider in trouble, not of what it was asked."""
    return status == 499 or status >= 500


def refusal(status: int, payload: Payload | None, subject: str, wait: float) -> ScannerError | None:
    """Return the error that a status and a payload stand for; None if they are an answer.

    `wait`: seconds until another try makes sense if the provider says "too many requests".
    """
    text = provider_text(payload)
    if status == 200:
        return None if payload is None else _refusal_inside(payload, subject, text)
    if status == 401 or (status == 403 and _is_about_the_key(payload)):
        return KeyRefused(
            f"the provider refused the key: {status}{text}; check POLYGON_API_KEY / MASSIVE_API_KEY"
        )
    if status == TOO_MANY:
        return RateLimited(f"{subject}: the provider allows no more requests now{text}", wait=wait)
    if status in _REFUSALS and not (status == 403 and payload is None):
        kind = ProviderUnavailable if _NOT_YET in text.lower() else _REFUSALS[status]
        return kind(f"{subject}: the provider answered {status}{text}")
    if 300 <= status < 400:
        return ProviderUnavailable(
            f"{subject}: expected an answer, got a redirect ({status}), which is not followed"
        )
    return ProviderUnavailable(f"{subject}: expected status 200, got {status}{text}")


def _is_about_the_key(payload: Payload | None) -> bool:
    """Return whether a 403 refuses the key and not what was asked, which a plan may lack.

    One without JSON is not of the provider, but of something before it.
    """
    if payload is None or payload.get("status") == "NOT_AUTHORIZED":
        return False
    return not any(word in provider_text(payload).lower() for word in _OF_A_PLAN)


#: What the provider says of a session that a plan gets only later: it is not refused for good.
_NOT_YET: Final = "before end of day"

#: Words of a 403 about what a plan includes.
_OF_A_PLAN: Final = ("plan", "entitled", "upgrade", "subscription", _NOT_YET)

_REFUSALS: Final[Mapping[int, type[ScannerError]]] = {
    400: DataError,
    403: NotEntitled,
    404: UnknownSymbol,
}


def _refusal_inside(payload: Payload, subject: str, text: str) -> ScannerError | None:
    status = str(payload.get("status", "OK"))
    if status in _GOOD_STATUSES:
        return None
    kinds: dict[str, type[ScannerError]] = {
        "NOT_AUTHORIZED": NotEntitled,
        "NOT_FOUND": UnknownSymbol,
    }
    kind = kinds.get(status, ProviderUnavailable)
    return kind(f"{subject}: expected the status OK or DELAYED, got {plain(status, 40)}{text}")


def provider_text(payload: Payload | None) -> str:
    """Return ": " and what the provider says about an error, or nothing."""
    if payload is None:
        return ""
    text = payload.get("error") or payload.get("message") or ""
    request_id = payload.get("request_id")
    said = f": {plain(text, _MOST_TEXT)}" if text else ""
    return f"{said} (request {plain(request_id, _MOST_TEXT)})" if request_id else said


def results_of(payload: Payload, subject: str, count_name: str) -> list[Any]:
    """Return the results of one page; an answer without any is empty only if it says so."""
    results, count = payload.get("results"), payload.get(count_name)
    if results is None:
        if count:
            raise ProviderUnavailable(
                f"{subject}: expected {count} results, as {count_name} says, got none"
            )
        return []
    if not isinstance(results, list):
        raise ProviderUnavailable(
            f"{subject}: expected a list of results, got {type(results).__name__}"
        )
    if count is not None and count != len(results):
        raise ProviderUnavailable(
            f"{subject}: expected {count} results, as {count_name} says, got {len(results)}"
        )
    return results


def series_of(symbol: str, results: list[Any], first: dt.date, last: dt.date) -> BarSeries:
    """Return the series of Polygon's bars; BadBars if one of them cannot be true.

    The session of a bar is the UTC date of `t`, which is midnight in New York.
    """
    if not results:
        return checked_series(symbol, [], np.empty((5, 0)))
    try:
        rows = list(map(_pick, results))
    except (KeyError, TypeError, IndexError) as error:
        raise BadBars(
            f"{symbol}: expected bars with {', '.join(_NAMES)}, got one without {error}"
        ) from error
    columns = tuple(zip(*rows, strict=True))
    for name, column in zip(_NAMES, columns, strict=True):
        _check_numbers(symbol, name, column)
    days = np.array(columns[0], dtype=np.float64) // _MS_A_DAY
    _check_range(symbol, days, first, last)
    return checked_series(symbol, days.astype(np.int32), np.array(columns[1:], dtype=np.float64))


def _check_numbers(symbol: str, name: str, column: tuple[Any, ...]) -> None:
    kinds = set(map(type, column)) - {int, float}
    if kinds:
        at = next(at for at, value in enumerate(column) if type(value) in kinds)
        raise BadBars(
            f"{symbol}: expected numbers in {name!r}, got {str(column[at])[:40]!r} in bar {at + 1}"
        )


def _check_range(symbol: str, days: np.ndarray, first: dt.date, last: dt.date) -> None:
    outside = ~((days >= day_number(first)) & (days <= day_number(last)))
    if outside.any():
        day = float(days[np.argmax(outside)])
        shown = str(day_date(int(day))) if abs(day) < 100_000 else f"day {day:g}"
        raise BadBars(f"{symbol}: expected sessions from {first} to {last}, got {shown}")
