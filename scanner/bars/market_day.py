"""One session of the whole market: a provider makes a MarketDay, the store keeps it in shards.

A shard holds the symbols whose checksum says so, the same in each session, so that the history of
a block of symbols is read without reading everybody's.

Layout of a shard, little-endian: a header with a checksum of all that follows it, then one zstd
frame of the symbols, joined by newlines, and five columns of float64 in the order of FIELDS.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import FIELDS, FloatArray

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Shards of a session: 80 symbols each in a market of 5,000.
SHARDS: Final = 64

#: magic, version and CRC-32 of the rest.
_SEAL: Final = struct.Struct("<3sBI")
#: symbols, and bytes of their names.
_SIZES: Final = struct.Struct("<II")
_HEADER: Final = _SEAL.size + _SIZES.size
_MAGIC: Final = b"MSD"
_VERSION: Final = 1
#: Most bytes of a shard's frame when it is unpacked: more is a broken shard.
_MOST_BYTES: Final = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDay:
    """The bars of all symbols in one session, unadjusted."""

    #: Days since 1970-01-01.
    session: int
    symbols: tuple[str, ...]
    #: (5, symbols) float64 in the order of FIELDS, as the provider said; NaN for what is no
    #: number. Whether a bar can be true is checked when a symbol's series is put together.
    values: FloatArray


class BrokenShard(ValueError):
    """Raised when bytes are not a shard."""


def shard_of(symbol: str) -> int:
    """Return the shard that holds `symbol`."""
    return zlib.crc32(symbol.encode()) % SHARDS


def shards_of(symbols: Iterable[str]) -> list[int]:
    """Return the shards that hold `symbols`, in order."""
    return sorted({shard_of(symbol) for symbol in symbols})


def encode_shards(day: MarketDay) -> dict[int, bytes]:
    """Return the shards of `day` that hold a symbol."""
    places: dict[int, list[int]] = {}
    for place, symbol in enumerate(day.symbols):
        places.setdefault(shard_of(symbol), []).append(place)
    return {
        shard: _encode([day.symbols[at] for at in chosen], day.values[:, chosen])
        for shard, chosen in places.items()
    }


def _encode(symbols: Sequence[str], values: FloatArray) -> bytes:
    names = "\n".join(symbols).encode()
    frame = zstd.compress(names + values.astype("<f8").tobytes(), 3)
    sealed = _SIZES.pack(len(symbols), len(names)) + frame
    return _SEAL.pack(_MAGIC, _VERSION, zlib.crc32(sealed)) + sealed


def decode_shard(shard: bytes) -> tuple[bytes, FloatArray]:
    """Return the symbols, joined by newlines, and their (5, symbols) values; BrokenShard."""
    if len(shard) < _HEADER:
        raise BrokenShard(f"expected {_HEADER} bytes of header, got {len(shard)}")
    magic, version, checksum = _SEAL.unpack_from(shard)
    if magic != _MAGIC or version != _VERSION:
        raise BrokenShard(f"expected a shard of version {_VERSION}, got {shard[:8]!r}")
    if zlib.crc32(memoryview(shard)[_SEAL.size :]) != checksum:
        raise BrokenShard("the checksum of the shard is wrong")
    count, named = _SIZES.unpack_from(shard, _SEAL.size)
    size = named + 8 * len(FIELDS) * count
    if size > _MOST_BYTES:
        raise BrokenShard(f"expected at most {_MOST_BYTES:,} bytes, the header says {size:,}")
    body = zstd.ZstdDecompressor().decompress(shard[_HEADER:], max_length=size + 1)
    if len(body) != size:
        raise BrokenShard(f"expected {size} bytes, got {len(body)}")
    values = np.frombuffer(body, dtype="<f8", offset=named).reshape(len(FIELDS), count)
    return body[:named], values
