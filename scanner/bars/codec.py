"""Bars as bytes for Redis: a BarSeries and what was asked for go in, one entry comes out.

Layout, little-endian: a header with a checksum of all that follows it, then one zstd frame of
six columns: session as int32, then open, high, low, close and volume as float64.
"""

from __future__ import annotations

import struct
import sys
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import FIELDS, BarSeries, BoolArray

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: magic, version and CRC-32 of the rest of the entry.
_SEAL: Final = struct.Struct("<3sBI")
#: first and last requested session, as_of, bars, fetch time, flags.
_FIELDS: Final = struct.Struct("<iiiIdB")
HEADER_SIZE: Final = _SEAL.size + _FIELDS.size
_MAGIC: Final = b"MSB"
_VERSION: Final = 1
_PROVISIONAL: Final = 1
_BAR_BYTES: Final = 4 + 8 * len(FIELDS)

#: The same header as numpy reads many of them.
_HEADERS: Final = np.dtype(
    [
        ("magic", "S3"),
        ("version", "u1"),
        ("seal", "<u4"),
        ("first", "<i4"),
        ("last", "<i4"),
        ("as_of", "<i4"),
        ("bars", "<u4"),
        ("fetched_at", "<f8"),
        ("flags", "u1"),
    ]
)

#: Most bars an entry may claim: 100 years of sessions; more is a broken entry.
MAX_BARS: Final = 26_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryHeader:
    """What an entry says about itself before its bars are read."""

    #: First and last session asked for, days since 1970-01-01, both inclusive.
    first: int
    last: int
    #: The newest session that the provider could have had, days since 1970-01-01.
    as_of: int
    #: Bars in the entry.
    bars: int
    #: Seconds since 1970-01-01 UTC.
    fetched_at: float
    #: True while the session of the last bar was open.
    provisional: bool

    def covers(self, first: int, last: int, since: float = 0.0) -> bool:
        """Return whether the entry answers a request for final bars from first to last.

        `since`: seconds since 1970-01-01; an older entry does not.
        """
        known = self.first <= first and min(self.last, self.as_of) >= last
        return known and not self.provisional and self.fetched_at >= since


class BrokenEntry(ValueError):
    """Raised when bytes are not an entry; a broken entry is a miss and is overwritten."""


def encode(series: BarSeries, header: EntryHeader) -> bytes:
    """Return the entry of `series`."""
    fields = _FIELDS.pack(
        header.first,
        header.last,
        header.as_of,
        len(series),
        header.fetched_at,
        _PROVISIONAL if header.provisional else 0,
    )
    columns = series.sessions.astype("<i4").tobytes() + series.values.astype("<f8").tobytes()
    sealed = fields + zstd.compress(columns, 1)
    return _SEAL.pack(_MAGIC, _VERSION, zlib.crc32(sealed)) + sealed


def decode_header(entry: bytes) -> EntryHeader:
    """Return the header of `entry`, which may be cut after it; BrokenEntry if it is none."""
    if len(entry) < HEADER_SIZE:
        raise BrokenEntry(f"expected {HEADER_SIZE} bytes of header, got {len(entry)}")
    magic, version, _ = _SEAL.unpack_from(entry)
    first, last, as_of, bars, fetched_at, flags = _FIELDS.unpack_from(entry, _SEAL.size)
    if magic != _MAGIC or version != _VERSION or bars > MAX_BARS:
        raise BrokenEntry(f"expected an entry of version {_VERSION}, got {entry[:8]!r}")
    return EntryHeader(
        first=first,
        last=last,
        as_of=as_of,
        bars=bars,
        fetched_at=fetched_at,
        provisional=bool(flags & _PROVISIONAL),
    )


def covering(headers: bytes, first: int, last: int, since: float) -> BoolArray:
    """Return which of `headers`, one after the other, are of entries that cover a request.

    As `EntryHeader.covers` says it; what is no header covers nothing.
    """
    found = np.frombuffer(headers, dtype=_HEADERS)
    good = (found["magic"] == _MAGIC) & (found["version"] == _VERSION) & (found["bars"] <= MAX_BARS)
    final = (found["flags"] & _PROVISIONAL == 0) & (found["fetched_at"] >= since)
    known = (found["first"] <= first) & (np.minimum(found["last"], found["as_of"]) >= last)
    covers: BoolArray = good & final & known
    return covers


def decode(symbol: str, entry: bytes) -> tuple[EntryHeader, BarSeries]:
    """Return the header and the bars of `entry`; BrokenEntry if it is wrong or cut.

    The body is never unpacked past the size that the header promises.
    """
    header = decode_header(entry)
    if zlib.crc32(memoryview(entry)[_SEAL.size :]) != _SEAL.unpack_from(entry)[2]:
        raise BrokenEntry(f"{symbol}: the checksum of the entry is wrong")
    size = header.bars * _BAR_BYTES
    try:
        body = zstd.ZstdDecompressor().decompress(entry[HEADER_SIZE:], max_length=size + 1)
    except (zstd.ZstdError, EOFError) as error:
        raise BrokenEntry(f"{symbol}: {error}") from error
    if len(body) != size:
        raise BrokenEntry(f"{symbol}: expected {size} bytes of bars, got {len(body)}")
    sessions = np.frombuffer(body, dtype="<i4", count=header.bars)
    values = np.frombuffer(body, dtype="<f8", offset=4 * header.bars)
    if header.bars > 1 and not (sessions[1:] > sessions[:-1]).all():
        raise BrokenEntry(f"{symbol}: sessions are not in order")
    return header, BarSeries(
        symbol=symbol, sessions=sessions, values=values.reshape(len(FIELDS), header.bars)
    )
