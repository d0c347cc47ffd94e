"""Three-valued conditions: arrays of numbers come in, what is true and what is false goes out.

Kleene's logic: what is neither true nor false is unknown, and stays so unless the other side
decides alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from scanner.bars.block import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A condition for each symbol and bar."""

    #: (symbols, bars)
    true: BoolArray
    #: (symbols, bars), nowhere where `true` is.
    false: BoolArray

    @property
    def known(self) -> BoolArray:
        """(symbols, bars) where it is not unknown."""
        return self.true | self.false

    def of(self, rows: npt.NDArray[np.intp]) -> Truth:
        """Return that of some rows."""
        return Truth(true=self.true[rows], false=self.false[rows])

    def last(self, bars: int) -> Truth:
        """Return the last `bars` bars, as views."""
        start = self.true.shape[1] - bars
        return Truth(true=self.true[:, start:], false=self.false[:, start:])


_COMPARED: Final[dict[str, tuple[Callable[..., BoolArray], Callable[..., BoolArray]]]] = {
    "<": (np.less, np.greater_equal),
    "<=": (np.less_equal, np.greater),
    ">": (np.greater, np.less_equal),
    ">=": (np.greater_equal, np.less),
}


def compared(op: str, x: FloatArray, y: FloatArray) -> Truth:
    """Return x `op` y; unknown where one of them is NaN."""
    if op in _COMPARED:
        true, false = _COMPARED[op]
        return Truth(true=true(x, y), false=false(x, y))
    equal = np.equal(x, y)
    other = np.not_equal(x, y) & (x == x) & (y == y)  # noqa: PLR0124 - NaN is not itself
    return Truth(true=equal, false=other) if op == "==" else Truth(true=other, false=equal)


def denied(x: Truth) -> Truth:
    """Return not x."""
    return Truth(true=x.false, false=x.true)


def both(conditions: Sequence[Truth]) -> Truth:
    """Return whether all hold: false where one is false, else unknown where one is unknown."""
    return Truth(
        true=np.logical_and.reduce([one.true for one in conditions]),
        false=np.logical_or.reduce([one.false for one in conditions]),
    )


def either(conditions: Sequence[Truth]) -> Truth:
    """Return whether one holds: true where one is true, else unknown where one is unknown."""
    return denied(both([denied(one) for one in conditions]))
