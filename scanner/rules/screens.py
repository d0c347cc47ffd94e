"""Screens: the last values of a block come in, each row's outcome in each screen goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Outcome of a row that a screen keeps; others are `miss:<term>` or `unknown:<why>`.
HIT: Final = "hit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A named rule over rows."""

    name: str
    description: str


#: The one built-in screen.
ALL: Final = Screen(name="all", description="Every symbol with a row, ranked by score.")
SCREENS: Final = (ALL,)


def decide(screens: Sequence[Screen], rows: int) -> list[dict[str, str]]:
    """Return, for each of `rows` rows, screen name -> outcome."""
    return [dict.fromkeys((screen.name for screen in screens), HIT) for _ in range(rows)]
