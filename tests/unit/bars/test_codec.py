"""Entries of the bar cache: bit-exact round trips, and every way in which bytes can be wrong."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scan_builders import LAST, series

from scanner.bars.block import BarSeries
from scanner.bars.codec import (
    HEADER_SIZE,
    MAX_BARS,
    BrokenEntry,
    EntryHeader,
    covering,
    decode,
    decode_header,
    encode,
    zstd,
)

ANY_FLOAT = st.floats(width=64, allow_nan=True, allow_infinity=True)
DAY = st.integers(-(2**31), 2**31 - 1)


def header(bars, first=LAST - 9, last=LAST, *, as_of=LAST, provisional=False):
    """Return the header of an entry that was asked for ten days of bars."""
    return EntryHeader(
        first=first, last=last, as_of=as_of, bars=bars, fetched_at=1.5e9, provisional=provisional
    )


def sealed(entry, start, part):
    """Return `entry` with `part` put in at `start`, under a checksum that is right."""
    changed = bytearray(entry)
    changed[start : start + len(part)] = part
    changed[4:8] = struct.pack("<I", zlib.crc32(bytes(changed[8:])))
    return bytes(changed)


@st.composite
def any_series(draw):
    """Draw up to 40 bars of any sessions in order and any bits as values."""
    days = sorted(draw(st.sets(DAY, max_size=40)))
    values = draw(st_numpy.arrays(np.float64, (5, len(days)), elements=ANY_FLOAT))
    return BarSeries(symbol="AAA", sessions=np.array(days, dtype=np.int32), values=values)


@given(one=any_series(), first=DAY, last=DAY, as_of=DAY, provisional=st.booleans())
def test_an_entry_gives_back_every_bit(one, first, last, as_of, provisional):
    """NaN payloads, infinities, -0.0 and empty series included, and the whole header."""
    head = header(len(one), first, last, as_of=as_of, provisional=provisional)
    got_head, got = decode("AAA", encode(one, head))
    assert got_head == head
    assert got.symbol == "AAA"
    assert got.sessions.tobytes() == one.sessions.tobytes()
    assert got.values.tobytes() == one.values.tobytes()


def test_a_view_on_longer_bars_is_written_as_its_own_bars():
    """A cut series is not contiguous in memory."""
    part = series(bars=20).between(LAST - 4, LAST - 1)
    _, got = decode("AAA", encode(part, header(4)))
    np.testing.assert_array_equal(got.values, part.values)


def test_the_header_alone_is_enough_to_read_the_header():
    """The cache asks for the first bytes of an entry only."""
    entry = encode(series(bars=3), header(3))
    assert decode_header(entry[:HEADER_SIZE]) == header(3)


def test_an_entry_that_is_cut_anywhere_is_broken():
    """At every length from nothing to one byte short."""
    entry = encode(series(bars=3), header(3))
    for length in range(len(entry)):
        with pytest.raises(BrokenEntry):
            decode("AAA", entry[:length])


def test_an_entry_with_more_behind_it_is_broken():
    """Two entries in one value must not pass for the first."""
    entry = encode(series(bars=3), header(3))
    with pytest.raises(BrokenEntry):
        decode("AAA", entry + b"\0")


def test_an_entry_with_one_flipped_bit_anywhere_is_broken():
    """Every bit of the header and of the body."""
    entry = encode(series(bars=3), header(3))
    for bit in range(8 * len(entry)):
        flipped = bytearray(entry)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BrokenEntry):
            decode("AAA", bytes(flipped))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_entry_are_broken(data):
    """Whatever another program left under the key."""
    with pytest.raises(BrokenEntry):
        decode("AAA", data)


@pytest.mark.parametrize("version", [0, 2, 255])
def test_an_entry_of_another_version_is_broken(version):
    """The version is no part of the checksum."""
    entry = bytearray(encode(series(bars=3), header(3)))
    entry[3] = version
    with pytest.raises(BrokenEntry, match="version 1"):
        decode("AAA", bytes(entry))


@pytest.mark.parametrize("bars", [MAX_BARS + 1, 2**32 - 1])
def test_an_entry_that_claims_too_many_bars_is_broken(bars):
    """It is refused by its header, before anything is unpacked."""
    entry = sealed(encode(series(bars=3), header(3)), 20, struct.pack("<I", bars))
    with pytest.raises(BrokenEntry):
        decode_header(entry)


@pytest.mark.parametrize("bars", [0, 2, 4, MAX_BARS])
def test_an_entry_whose_count_is_not_its_bars_is_broken(bars):
    """Fewer or more bars than the body has, under a right checksum."""
    entry = sealed(encode(series(bars=3), header(3)), 20, struct.pack("<I", bars))
    with pytest.raises(BrokenEntry, match="bytes of bars"):
        decode("AAA", entry)


def test_an_entry_whose_body_is_not_compressed_is_broken():
    """Zstd's own error does not get out."""
    entry = encode(series(bars=3), header(3))
    broken = sealed(entry, HEADER_SIZE, b"\xff" * (len(entry) - HEADER_SIZE))
    with pytest.raises(BrokenEntry):
        decode("AAA", broken)


def test_an_entry_is_not_unpacked_beyond_its_bars():
    """A few bytes may become many GB."""
    entry = encode(series(bars=3), header(3))[:HEADER_SIZE]
    bomb = zstd.compress(bytes(300_000_000))
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(BrokenEntry):
            decode("AAA", sealed(entry + bomb, 0, b""))
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("days", [[2, 1], [1, 1]])
def test_an_entry_with_sessions_out_of_order_is_broken(days):
    """Sessions are cut by bisection, which needs an order."""
    values = np.ones((5, 2))
    one = BarSeries(symbol="AAA", sessions=np.array(days, dtype=np.int32), values=values)
    with pytest.raises(BrokenEntry, match="order"):
        decode("AAA", encode(one, header(2)))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (LAST - 9, LAST, True),
        (LAST - 3, LAST - 1, True),
        (LAST - 10, LAST, False),
        (LAST - 9, LAST + 1, False),
    ],
)
def test_an_entry_covers_what_lies_within_what_was_asked_for(first, last, expected):
    """Both ends are inclusive."""
    assert header(10).covers(first, last) is expected


def test_an_entry_does_not_cover_sessions_after_its_as_of():
    """A request into the future was answered with what there was then."""
    asked_ahead = header(10, last=LAST + 30)
    assert asked_ahead.covers(LAST - 9, LAST)
    assert not asked_ahead.covers(LAST - 9, LAST + 1)


def test_provisional_bars_cover_nothing():
    """A bar of an open session never passes for a final one."""
    assert not header(10, provisional=True).covers(LAST - 5, LAST - 4)


@st.composite
def any_head(draw):
    """Draw the first bytes of an entry near the request: whole, empty, broken or of any bytes."""
    near, when = st.integers(LAST - 3, LAST + 3), st.sampled_from([1.0e9, 1.5e9, 2.0e9])
    head = EntryHeader(
        first=draw(near) - 5,
        last=draw(near),
        as_of=draw(near),
        bars=3,
        fetched_at=draw(when),
        provisional=draw(st.booleans()),
    )
    entry = encode(series(bars=3), head)[:HEADER_SIZE]
    spoiled = sealed(entry, draw(st.sampled_from([0, 3, 20])), b"\xff\xff\xff\xff")
    return draw(
        st.sampled_from([entry, entry, spoiled, bytes(HEADER_SIZE)])
        | st.binary(min_size=HEADER_SIZE, max_size=HEADER_SIZE)
    )


@given(heads=st.lists(any_head(), max_size=8))
def test_many_headers_cover_what_each_of_them_covers(heads):
    """Read all at once as one by one."""

    def covers(head):
        try:
            return decode_header(head).covers(LAST - 5, LAST, 1.5e9)
        except BrokenEntry:
            return False

    assert covering(b"".join(heads), LAST - 5, LAST, 1.5e9).tolist() == list(map(covers, heads))
