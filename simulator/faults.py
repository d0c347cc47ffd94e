"""Faults on request: `--fault` texts come in, `app` asks which fault a bar request gets.

The choice depends on the seed, the symbol and how often the symbol was asked for, so a run
can be repeated exactly whatever the order of its requests.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

Payload = dict[str, Any]

#: Faults of the connection or of the whole answer.
ANSWER_FAULTS: Final = frozenset(
    {"status500", "status502", "cut", "malformed", "not_authorized", "stall", "reset"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of fault, for a share of the bar requests or for one symbol."""

    kind: str
    share: float = 0.0
    symbol: str | None = None


def parse_fault(text: str) -> Fault:
    """Return the fault written as KIND=SHARE or KIND:SYMBOL; ValueError says what is wrong."""
    kind, is_share, share = text.partition("=")
    symbol: str | None = None
    if not is_share:
        kind, _, symbol = text.partition(":")
    if kind not in ANSWER_FAULTS and kind not in DATA_FAULTS:
        known = ", ".join(sorted([*ANSWER_FAULTS, *DATA_FAULTS]))
        raise ValueError(f"{kind!r} is not a fault: expected one of {known}")
    if is_share:
        return Fault(kind=kind, share=_share(share))
    if not symbol:
        raise ValueError(f"{text!r}: expected KIND=SHARE or KIND:SYMBOL")
    return Fault(kind=kind, symbol=symbol)


def _share(text: str) -> float:
    share = float(text)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"{text!r} is not a share: expected 0 to 1")
    return share


class FaultPlan:
    """Decides which bar requests fail, and how."""

    def __init__(self, faults: Sequence[Fault], *, seed: int) -> None:
        self._faults = tuple(faults)
        self._seed = seed
        self._attempts: Counter[str] = Counter()

    def choose(self, symbol: str) -> str | None:
        """Return the fault of the next request for `symbol`; None if it gets a true answer."""
        if not self._faults:
            return None
        self._attempts[symbol] += 1
        attempt = self._attempts[symbol]
        for fault in self._faults:
            chance = self._chance(f"{fault.kind}:{symbol}:{attempt}")
            if fault.symbol == symbol or (fault.symbol is None and chance < fault.share):
                return fault.kind
        return None

    def _chance(self, text: str) -> float:
        digest = hashlib.blake2b(f"{self._seed}:{text}".encode(), digest_size=8).digest()
        return float(int.from_bytes(digest) / 2**64)


def _null_results(payload: Payload) -> Payload:
    return payload | {"results": None}


def _missing_results(payload: Payload) -> Payload:
    return {name: value for name, value in payload.items() if name != "results"}


def _duplicate_bars(payload: Payload) -> Payload:
    rows = _rows(payload)
    count = len(rows) + len(rows[-1:])
    return payload | {"results": rows + rows[-1:], "resultsCount": count, "count": count}


def _unsorted_bars(payload: Payload) -> Payload:
    rows = _rows(payload)
    return payload | {"results": rows[1::2] + rows[::2]}


def _nan_bars(payload: Payload) -> Payload:
    return _change_middle(payload, lambda row: row | {"c": None})


def _negative_bars(payload: Payload) -> Payload:
    return _change_middle(payload, lambda row: row | {"l": -row["l"]})


def _change_middle(payload: Payload, change: Callable[[Payload], Payload]) -> Payload:
    rows = _rows(payload)
    middle = len(rows) // 2
    changed = [change(row) for row in rows[middle : middle + 1]]
    return payload | {"results": rows[:middle] + changed + rows[middle + 1 :]}


def _rows(payload: Payload) -> list[Payload]:
    rows: list[Payload] = payload.get("results") or []
    return rows


#: Faults of the data: each changes the payload of a range answer.
DATA_FAULTS: Final[dict[str, Callable[[Payload], Payload]]] = {
    "null_results": _null_results,
    "missing_results": _missing_results,
    "duplicate_bars": _duplicate_bars,
    "unsorted_bars": _unsorted_bars,
    "nan_bars": _nan_bars,
    "negative_bars": _negative_bars,
}
