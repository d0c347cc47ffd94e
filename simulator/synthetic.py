"""A made-up market: seed, size and sessions come from the options, bars and splits go to `tape`.

A bar depends on the seed, the symbol and its date alone: neither the size of the market nor
its first or last session changes it, so tomorrow's market is today's and one session more.
That is true of prices as they are traded. Bars are made as adjusted by the splits up to one
day, the same for all markets, and `tape` derives from them what a day of its own sees.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.market import Bars, DayArray, FloatArray, Split
from simulator.sessions import all_sessions, day_of

#: Last session of a market that is not asked for another one; bars are adjusted up to it.
BASE: Final = dt.date(2025, 7, 9)

#: The fund that every market has, whatever its size: others are compared with it.
FUND: Final = "SPY"

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LENGTHS: Final = (1, 2, 3, 4, 5)
_LENGTH_WEIGHTS: Final = (1, 6, 36, 48, 9)

#: Sessions in which listings and last trades fall, counted from the first one in 2023.
_LISTED: Final = (200, 625)
_STOPPED: Final = (400, 628)

#: Share of the symbols with a split from 2023 to 2026, which makes 3 % in 420 sessions, and
#: share of these with two.
_SPLIT: Final = 0.066
_SPLIT_TWICE: Final = 0.12
#: From how many shares to how many, and how often of twenty.
_RATIOS: Final = ((1, 2), (1, 3), (2, 3), (1, 4), (1, 10), (1, 20), (10, 1), (20, 1))
_RATIO_WEIGHTS: Final = (6, 2, 2, 2, 2, 1, 3, 2)


def symbol_names(count: int) -> list[str]:
    """Return SPY and `count` - 1 names of 1-5 letters; more names leave the first ones alone."""
    source = random.Random(2023)  # noqa: S311 - names, not secrets
    names: dict[str, None] = {FUND: None}
    while len(names) < count:
        length = source.choices(_LENGTHS, _LENGTH_WEIGHTS)[0]
        names["".join(source.choices(_LETTERS, k=length))] = None
    return list(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traits:
    """What one symbol keeps all its life."""

    price: float
    drift: float
    volatility: float
    log_volume: float
    #: Share of the sessions without a trade.
    gaps: float
    #: Positions in the list of all sessions: first bar, and one past the last.
    listed: int
    stopped: int


class SyntheticMarket:
    """Geometric random walks with jumps, gaps, recent listings and stopped trading."""

    def __init__(self, *, symbols: int, seed: int, sessions: int, last_day: int) -> None:
        past = all_sessions()[all_sessions() <= last_day]
        if past.size < sessions or sessions < 1:
            raise ValueError(f"expected 1 to {past.size} sessions, got {sessions}")
        self._start = past.size - sessions
        self._last_day = int(past[-1])
        self._seed = seed
        self._symbols = tuple(sorted(symbol_names(symbols)))
        self._known = frozenset(self._symbols)
        self._splits = tuple(
            split for symbol in self._symbols for split in _draw_splits(seed, symbol)
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, sorted."""
        return self._symbols

    @property
    def sessions(self) -> DayArray:
        """All sessions from the first one on, as far as holidays are known."""
        return all_sessions()[self._start :]

    @property
    def last_day(self) -> int:
        """The last session if no clock says otherwise."""
        return self._last_day

    @property
    def base_day(self) -> int:
        """The day up to whose splits the bars are adjusted."""
        return day_of(BASE)

    @property
    def splits(self) -> tuple[Split, ...]:
        """All splits from 2023 to 2026."""
        return self._splits

    def kind(self, symbol: str) -> str:
        """Return CS for most symbols, ETF or ADRC for the others."""
        if symbol == FUND:
            return "ETF"
        share = hashlib.blake2b(symbol.encode(), digest_size=1).digest()[0] / 256
        if share < 0.8:
            return "CS"
        return "ETF" if share < 0.94 else "ADRC"

    def bars(self, symbol: str, last: int) -> Bars | None:
        """Return the bars of `symbol` up to the day `last`; None if there is no such symbol."""
        if symbol not in self._known:
            return None
        past = all_sessions()[all_sessions() <= last]
        source = _source(self._seed, symbol)
        traits = _draw_traits(source)
        noise = source.standard_normal((past.size, 5))
        chance = source.spawn(1)[0].random((past.size, 2))
        kept = chance[:, 1] >= traits.gaps
        kept[: max(self._start, traits.listed)] = False
        kept[traits.stopped :] = False
        values = _walk(traits, noise.T, chance[:, 0])
        return Bars(days=past[kept], values=values[:, kept])


def _source(seed: int, text: str) -> np.random.Generator:
    digest = hashlib.blake2b(f"{seed}:{text}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest)))


def _draw_splits(seed: int, symbol: str) -> list[Split]:
    digest = hashlib.blake2b(f"{seed}:{symbol}:split".encode(), digest_size=8).digest()
    if symbol == FUND or int.from_bytes(digest) / 2**64 >= _SPLIT:
        return []
    traits = _draw_traits(_source(seed, symbol))
    source = _source(seed, f"{symbol}:splits")
    count = 2 if source.random() < _SPLIT_TWICE else 1
    life = all_sessions()[traits.listed + 1 : traits.stopped]
    if life.size < count:  # it stopped before it was listed: it has no bars either
        return []
    days = np.sort(source.choice(life, count, replace=False))
    weights = np.array(_RATIO_WEIGHTS) / sum(_RATIO_WEIGHTS)
    ratios = [_RATIOS[place] for place in source.choice(len(_RATIOS), count, p=weights)]
    return [
        Split(symbol=symbol, day=int(day), split_from=float(before), split_to=float(after))
        for day, (before, after) in zip(days, ratios, strict=True)
    ]


def _draw_traits(source: np.random.Generator) -> _Traits:
    unit = source.random(8)
    normal = source.standard_normal(3)
    return _Traits(
        price=float(np.exp(3.4 + 1.0 * normal[0])) + 2.0,
        drift=float(0.0003 + 0.0006 * normal[1]),
        volatility=float(0.009 + 0.030 * unit[0] ** 2),
        log_volume=float(12.5 + 1.9 * normal[2]),
        gaps=float(0.08 * unit[2] ** 2) if unit[1] < 0.1 else 0.0,
        listed=_between(_LISTED, unit[4]) if unit[3] < 0.04 else 0,
        stopped=_between(_STOPPED, unit[6]) if unit[5] < 0.015 else all_sessions().size,
    )


def _between(bounds: tuple[int, int], unit: float) -> int:
    return bounds[0] + int(unit * (bounds[1] - bounds[0]))


def _walk(traits: _Traits, noise: FloatArray, chance: FloatArray) -> FloatArray:
    sigma = traits.volatility
    jump = np.where(chance < 0.004, np.sign(noise[1]) * (0.08 + 6 * sigma), 0.0)
    change = traits.drift + sigma * noise[0] + jump
    close = traits.price * np.exp(np.cumsum(change))
    before = np.concatenate(((traits.price,), close[:-1]))
    start = before * np.exp(0.35 * sigma * noise[1] + 0.8 * jump)
    high = np.maximum(start, close) * np.exp(0.4 * sigma * np.abs(noise[2]))
    low = np.minimum(start, close) * np.exp(-0.4 * sigma * np.abs(noise[3]))
    prices = np.maximum(np.round(np.stack((start, high, low, close)), 2), 0.01)
    busy = 0.35 * noise[4] + 6.0 * np.abs(change)
    volume = np.maximum(np.round(np.exp(traits.log_volume + busy)), 100.0)
    return np.concatenate((prices, volume[None]))
