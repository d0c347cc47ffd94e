"""How long a scan needs after a fault: each test notes it, and the end of a run shows the table.

Faults that last for minutes elsewhere are shortened by a factor, which the table shows. With
`SCANNER_TEST_SOAK=1` (`make soak`) they last, and what is repeated is five times as often.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

SOAK: Final = bool(os.environ.get("SCANNER_TEST_SOAK"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a test has seen."""

    fault: str
    #: Seconds from the fault, or from its end if it lasts, to the report.
    seconds: float
    #: By how much the fault was shortened.
    factor: float = 1.0


SEEN: Final[list[Recovery]] = []


def shortened(factor: float) -> float:
    """Return by how much a fault is shortened here."""
    return 1.0 if SOAK else factor


def lasting(seconds: float, factor: float) -> float:
    """Return for how long a fault lasts here."""
    return seconds / shortened(factor)


def rounds(count: int) -> int:
    """Return how often a fault is repeated here."""
    return 5 * count if SOAK else count


def table() -> list[str]:
    """Return the lines of the table of what was seen; none if nothing was."""
    lines = [f"{one.fault:<60}{one.seconds:>9.1f}{one.factor:>8.0f}" for one in SEEN]
    head = f"{'fault':<60}{'seconds':>9}{'factor':>8}"
    return [head, *lines] if lines else []
