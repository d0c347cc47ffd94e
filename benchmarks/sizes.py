"""How much each benchmark measures: all of it, or as little as shows that it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.market import BLOCK, MARKET


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes of one run of all benchmarks."""

    name: str
    #: Turns of each contender; their median counts.
    runs: int
    #: Seconds that a turn takes at least: a contender that is done sooner starts again.
    turn: float
    #: Bars a symbol.
    sessions: tuple[int, ...]
    #: Symbols of the block that is compared.
    block: int
    #: Symbols of the market that is compared with the library ta.
    market: int
    #: Symbols that ta computes in a turn; its time is scaled from them to the market.
    library: int
    #: Symbols of the markets that show how time and memory grow.
    markets: tuple[int, ...]


#: A little more than a year of sessions for all columns, and as many as 100 days' screens need.
FULL: Final = Sizes(
    name="full",
    runs=7,
    turn=0.1,
    sessions=(275, 103),
    block=BLOCK,
    market=MARKET,
    library=100,
    markets=(1_000, MARKET, 20_000, 50_000),
)

QUICK: Final = Sizes(
    name="quick", runs=1, turn=0.0, sessions=(103,), block=8, market=8, library=1, markets=(8, 16)
)

SIZES: Final = {sizes.name: sizes for sizes in (FULL, QUICK)}
