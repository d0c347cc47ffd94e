"""Questions of the reference endpoints: filters by range, and cursors that carry a query on.

`listing`, `split_pages` and `aggregates` read and write them.
"""

from __future__ import annotations

import base64
import binascii
import operator
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

_BOUNDS: Final = {
    "": operator.eq,
    ".gt": operator.gt,
    ".gte": operator.ge,
    ".lt": operator.lt,
    ".lte": operator.le,
}


def cursor_of(query: Mapping[str, str]) -> str:
    """Return a cursor that `query_of` reads; the key is left out of it."""
    kept = {name: value for name, value in query.items() if name.lower() != "apikey"}
    return base64.urlsafe_b64encode(urlencode(kept).encode()).decode().rstrip("=")


def query_of(query: Mapping[str, str]) -> Mapping[str, str]:
    """Return `query`, or the one that its cursor carries."""
    cursor = query.get("cursor")
    if cursor is None:
        return query
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        return dict(parse_qsl(base64.urlsafe_b64decode(padded).decode()))
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"cursor: expected one of a next_url, got {cursor!r:.40}") from error


def limit_of(query: Mapping[str, str], *, default: int, most: int) -> int:
    """Return the size of a page; ValueError if it is not from 1 to `most`."""
    limit = int(query.get("limit", default))
    if not 1 <= limit <= most:
        raise ValueError(f"limit: expected 1 to {most}, got {limit}")
    return limit


def choice_of(query: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str | None:
    """Return the value of `name`; ValueError if there is one that is not a choice."""
    value = query.get(name)
    if value is not None and value not in choices:
        raise ValueError(f"{name}: expected {' or '.join(choices)}, got {value!r:.40}")
    return value


def within(query: Mapping[str, str], name: str, value: str) -> bool:
    """Return whether `value` lies within what `query` says of `name`, as text."""
    return all(
        compare(value, query[name + suffix])
        for suffix, compare in _BOUNDS.items()
        if name + suffix in query
    )
