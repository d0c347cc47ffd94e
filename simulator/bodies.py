"""Bodies that are kept: what asks for one gives its key and how it is made, and gets JSON bytes.

Whole answers are kept, because a scan asks the same range of every symbol. A key holds all
that the body depends on, the moment of the clock too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import orjson

#: Bytes of JSON that are kept.
_CACHE_BYTES: Final = 256_000_000

Payload = dict[str, Any]
Spoiler = Callable[[Payload], Payload]


class Bodies:
    """JSON bytes by key; the oldest are dropped."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, bytes] = OrderedDict()
        self._size = 0

    def get(self, key: object, make: Callable[[], Payload], spoil: Spoiler | None) -> bytes:
        """Return the body of `key`; `spoil` changes it on purpose, which is not kept."""
        if spoil is not None:
            return orjson.dumps(spoil(make()))
        body = self._kept.get(key)
        if body is None:
            body = orjson.dumps(make())
            self._kept[key] = body
            self._size += len(body)
            while self._size > _CACHE_BYTES:
                self._size -= len(self._kept.popitem(last=False)[1])
        return body


def request_id(text: str) -> str:
    """Return an id of 32 digits, the same for the same question."""
    return text.encode().hex().rjust(32, "0")[:32]
