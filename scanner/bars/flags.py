"""What is odd about bars: a block comes in, a few counts for each symbol go out.

Nothing is mended and no row is dropped for it: whoever reads a row sees what it rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, IntArray

#: A close that is so much above or below the one before is a jump: 0.5 is half of it.
JUMP: Final = 0.5

#: Flag -> what it counts, for people.
MEANINGS: Final = {
    "missing_sessions": "sessions of the exchange without a bar since the first one",
    "flat_bars": "bars whose prices are all the same",
    "jumps": f"moves of more than {JUMP:.0%} from close to close",
    "provisional": "the last bar is of a session that was open",
    "suspect_split": "bars that a fetch of this symbol alone contradicts",
    "unlisted": "it was traded in the last session, but the provider does not list it",
}

Flags = dict[str, int]


def flags_of(
    block: BarBlock, sessions: Sequence[int], open_sessions: Sequence[int] = ()
) -> list[Flags]:
    """Return for each symbol of `block` the flags that are not 0.

    `sessions`: the exchange's, in order; without them missing ones are not known.
    `open_sessions`: those whose bars are forming.
    """
    close = block.close
    with np.errstate(all="ignore"):
        moves = np.abs(close[:, 1:] / close[:, :-1] - 1.0) > JUMP
        flat = block.high == block.low  # NaN before the first bar is equal to nothing
    counts = {"flat_bars": flat.sum(axis=1), "jumps": moves.sum(axis=1)}
    if len(sessions):
        counts["missing_sessions"] = _missing(block, np.array(sessions, dtype=np.int32))
    counts["provisional"] = np.isin(block.sessions[:, -1], open_sessions).astype(np.int32)
    found: list[Flags] = [{} for _ in block.symbols]
    for name in MEANINGS:
        numbers = counts.get(name)
        if numbers is None:
            continue
        for at in np.flatnonzero(numbers > 0).tolist():
            found[at][name] = int(numbers[at])
    return found


def _missing(block: BarBlock, sessions: IntArray) -> IntArray:
    """Return how many sessions of the exchange lie between first and last bar without one."""
    width = block.sessions.shape[1]
    symbols = np.arange(len(block.symbols))
    first = block.sessions[symbols, width - block.counts]
    place, stop = np.searchsorted(sessions, [first, block.sessions[:, -1] + 1])
    expected: IntArray = (stop - place - block.counts).astype(np.int32)
    return expected


def age_in_sessions(session: int, sessions: Sequence[int]) -> int:
    """Return how many of `sessions`, in order, came after `session`."""
    return int(len(sessions) - np.searchsorted(np.array(sessions, dtype=np.int32), session + 1))
