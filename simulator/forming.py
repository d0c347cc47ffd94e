"""Bars of a session that goes on: final bars and the share that is over come in, bars go out.

The price walks from the open over both ends of the final range to the close, in which order
and when depends on seed, symbol and session; more is traded near the open and the close.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from simulator.market import FloatArray

#: Shares of a session in which the first and the second end of the range are reached.
_FIRST: Final = (0.08, 0.48)
_SECOND: Final = (0.55, 0.95)

#: Share of the volume that the opening auction trades.
_AUCTION: Final = 0.03


def draw_ways(seed: int, symbols: Sequence[str], day: int) -> FloatArray:
    """Return (3, symbols) numbers from 0 to 1, the same for a seed, symbol and session."""
    digests = (
        hashlib.blake2b(f"{seed}:{symbol}:{day}:forming".encode(), digest_size=12).digest()
        for symbol in symbols
    )
    whole = np.frombuffer(b"".join(digests), dtype=">u4").reshape(-1, 3)
    return np.asarray(whole.T / 2.0**32)


def so_far(final: FloatArray, ways: FloatArray, share: float) -> FloatArray:
    """Return the (5, symbols) bars when `share` of their session is over.

    At 1 they are the final ones; until then high and volume never fall, low never rises.
    """
    if share >= 1.0:
        return final
    start, high, low, end, volume = final
    up_first = ways[0] < 0.5
    first, second = np.where(up_first, (high, low), (low, high))
    first_at = _FIRST[0] + (_FIRST[1] - _FIRST[0]) * ways[1]
    second_at = _SECOND[0] + (_SECOND[1] - _SECOND[0]) * ways[2]
    to_first = start + (first - start) * share / first_at
    to_second = first + (second - first) * (share - first_at) / (second_at - first_at)
    to_end = second + (end - second) * (share - second_at) / (1.0 - second_at)
    way = np.where(share < first_at, to_first, np.where(share < second_at, to_second, to_end))
    price = np.clip(np.round(way, 2), low, high)
    first_met = np.where(share >= first_at, first, start)
    second_met = np.where(share >= second_at, second, start)
    met = np.stack((start, price, first_met, second_met))
    traded = np.minimum(volume, np.maximum(1.0, np.floor(volume * _traded_share(share))))
    return np.stack((start, met.max(axis=0), met.min(axis=0), price, traded))


def _traded_share(share: float) -> float:
    busy_ends = share + 0.6 * np.sin(2 * np.pi * share) / (2 * np.pi)
    return float(_AUCTION + (1.0 - _AUCTION) * busy_ends)
