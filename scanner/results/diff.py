"""What changed between two scans of a screen: hits now and before come in, two lists go out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def entered(now: Sequence[str], before: Iterable[str]) -> tuple[str, ...]:
    """Return the hits of `now` that `before` lacks, in their order."""
    known = frozenset(before)
    return tuple(symbol for symbol in now if symbol not in known)


def left(now: Iterable[str], before: Sequence[str]) -> tuple[str, ...]:
    """Return the hits of `before` that `now` lacks, in their order."""
    return entered(before, now)
