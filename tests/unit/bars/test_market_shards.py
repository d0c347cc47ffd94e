"""Shards whose checksum is right and whose header is not: another version's, or a lie."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from scanner.bars import market_day
from scanner.bars.market_day import BrokenShard, MarketDay, decode_shard, encode_shards

DAY = MarketDay(session=20_000, symbols=("AAA",), values=np.full((5, 1), 10.0))
SEAL = market_day._SEAL.size


def sealed(version, rest):
    """Return a shard of a version with the checksum of what it holds."""
    return market_day._SEAL.pack(market_day._MAGIC, version, zlib.crc32(rest)) + rest


@pytest.fixture
def rest():
    """Return the sizes and values of a true shard."""
    (shard,) = encode_shards(DAY).values()
    names, values = decode_shard(shard)
    assert (names, values.tolist()) == (b"AAA", DAY.values.tolist())
    assert sealed(market_day._VERSION, shard[SEAL:]) == shard
    return shard[SEAL:]


def test_a_shard_of_another_version_is_refused(rest):
    """It may mean something else by the same bytes."""
    with pytest.raises(BrokenShard, match="expected a shard of version"):
        decode_shard(sealed(market_day._VERSION + 1, rest))


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((2, 3), "expected 83 bytes, got"),
        ((1, 2), "expected 42 bytes, got"),
        ((2**31, 3), "expected at most"),
    ],
)
def test_a_shard_that_lies_about_its_size_is_refused(rest, sizes, said):
    """Before what it says is believed, and before memory is taken for it."""
    lie = struct.pack(market_day._SIZES.format, *sizes)
    with pytest.raises(BrokenShard, match=said):
        decode_shard(sealed(market_day._VERSION, lie + rest[len(lie) :]))
