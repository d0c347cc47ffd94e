"""How far back a column looks: kernels' parameters come in, the bars that count go out.

A value that rests on fewer bars than its memory is right for those bars, but another start of
the history would give another value: its row carries `warming`. No number of bars settles a path
or a running total, and these are not marked.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final, Literal

#: Weight of everything older than a decaying memory, relative to all.
REST: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a value depends on.

    `window`: the last `bars` bars and nothing else. `decaying`: what is older than `bars` bars
    weighs less than REST in each mean, so that a price or a move k times today's counts k times
    as much, and in a quotient of means whatever is left counts where newer bars do not move.
    `path`: all bars since the start, and no number of them makes the start forgotten.
    `cumulative`: a running total from the first bar of the lookback; its level means nothing
    between symbols, only its changes do.
    """

    kind: Literal["window", "decaying", "path", "cumulative"]
    #: None for `path` and `cumulative`.
    bars: int | None = None

    def __str__(self) -> str:
        return self.kind if self.bars is None else f"{self.kind}({self.bars})"


def window(bars: int) -> Memory:
    """Return the memory of a value of the last `bars` bars."""
    return Memory(kind="window", bars=bars)


def decaying(*decays: float, after: int = 0) -> Memory:
    """Return the memory of recursive means one after the other.

    `decays`: what each mean keeps of itself from bar to bar; `after`: bars before the last of
    them begins.
    """
    return Memory(kind="decaying", bars=after + settled(decays))


@functools.lru_cache(maxsize=256)
def settled(decays: tuple[float, ...]) -> int:
    """Return the bars that carry all but REST of the weight in a cascade of recursive means.

    It is the step response: as many ones are fed to means at 0 as bring the last within REST.
    """
    levels = [0.0] * len(decays)
    bars = 0
    while not levels or 1.0 - levels[-1] > REST:
        fed = 1.0
        for place, decay in enumerate(decays):
            levels[place] = fed = decay * levels[place] + (1.0 - decay) * fed
        bars += 1
    return bars


def span_decay(span: int) -> float:
    """Return what an exponential mean of this span keeps of itself."""
    return 1.0 - 2.0 / (span + 1)


def wilder_decay(bars: int) -> float:
    """Return what Wilder's mean of this many bars keeps of itself."""
    return 1.0 - 1.0 / bars


PATH: Final = Memory(kind="path")
CUMULATIVE: Final = Memory(kind="cumulative")
