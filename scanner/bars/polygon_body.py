"""Bodies of answers: a response that has begun comes in, its bytes go out, never too many."""

from __future__ import annotations

import time
import zlib
from typing import Final

import requests
from urllib3 import exceptions as transport

#: Bytes of an answer, or of all pages of one, as they come and unpacked; in memory JSON takes up to
#: twenty times as much.
MOST_BYTES: Final = 50_000_000

#: What the provider may pack its answers with.
PACKED: Final = "gzip"

#: Bytes that are read at a time, and what zlib is told to expect: the head of gzip.
_CHUNK: Final = 65_536
_GZIP: Final = 31


class BodyRefused(Exception):
    """Raised when a body is too long; says what was expected."""


def read_body(response: requests.Response, room: int, seconds: float) -> bytes:
    """Return the body, unpacked, if it has at most `room` bytes and ends in `seconds`.

    Else BodyRefused, or TimeoutError of urllib3; what this and zlib raise if it is cut or broken.
    """
    ends = time.monotonic() + seconds
    chunks: list[bytes] = []
    left = room
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        chunks.append(chunk)
        left -= len(chunk)
        if left < 0:
            raise BodyRefused(f"expected at most {MOST_BYTES:,} bytes")
        if time.monotonic() > ends:
            raise transport.TimeoutError("the body is too slow")
    body = b"".join(chunks)
    if response.headers.get("Content-Encoding", "").lower() != PACKED:
        return body
    body = zlib.decompressobj(_GZIP).decompress(body, room + 1)
    if len(body) > room:
        raise BodyRefused(f"expected at most {MOST_BYTES:,} bytes, unpacked")
    return body
