"""Faults on request: `--fault` texts come in, `app` asks which fault a request gets.

A request is about a subject: a symbol, the date of a whole day, `splits` or `snapshot`. The
choice depends on the seed, the subject and how often it was asked for, so a run can be
repeated exactly whatever the order of its requests.
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
    {
        "status401",
        "status403",
        "status500",
        "status502",
        "rate429",
        "rate429_silent",
        "cut",
        "malformed",
        "not_authorized",
        "stall",
        "drip",
        "reset",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of fault, for a share of the requests or for one subject."""

    kind: str
    share: float = 0.0
    subject: str | None = None


def parse_fault(text: str) -> Fault:
    """Return the fault written as KIND=SHARE or KIND:SUBJECT; ValueError says what is wrong."""
    kind, is_share, share = text.partition("=")
    subject: str | None = None
    if not is_share:
        kind, _, subject = text.partition(":")
    if kind not in ANSWER_FAULTS and kind not in DATA_FAULTS:
        known = ", ".join(sorted([*ANSWER_FAULTS, *DATA_FAULTS]))
        raise ValueError(f"{kind!r} is not a fault: expected one of {known}")
    if is_share:
        return Fault(kind=kind, share=_share(share))
    if not subject:
        raise ValueError(f"{text!r}: expected KIND=SHARE or KIND:SUBJECT")
    return Fault(kind=kind, subject=subject)


def _share(text: str) -> float:
    share = float(text)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"{text!r} is not a share: expected 0 to 1")
    return share


class FaultPlan:
    """Decides which requests fail, and how."""

    def __init__(self, faults: Sequence[Fault], *, seed: int) -> None:
        self._seed = seed
        self.replace(faults)

    def replace(self, faults: Sequence[Fault], *, after: int = 0) -> None:
        """Fail in these ways after so many true answers, as if nothing had been asked before."""
        self._faults = tuple(faults)
        self._true = after
        self._attempts: Counter[str] = Counter()

    def choose(self, subject: str) -> str | None:
        """Return the fault of the next request about `subject`; None if it gets a true answer."""
        if self._true > 0 or not self._faults:
            self._true -= 1
            return None
        self._attempts[subject] += 1
        attempt = self._attempts[subject]
        for fault in self._faults:
            chance = self._chance(f"{fault.kind}:{subject}:{attempt}")
            if fault.subject == subject or (fault.subject is None and chance < fault.share):
                return fault.kind
        return None

    def _chance(self, text: str) -> float:
        digest = hashlib.blake2b(f"{self._seed}:{text}".encode(), digest_size=8).digest()
        return float(int.from_bytes(digest) / 2**64)


def _null_results(payload: Payload) -> Payload:
    return payload | {_rows_name(payload): None}


def _missing_results(payload: Payload) -> Payload:
    return {name: value for name, value in payload.items() if name != _rows_name(payload)}


def _duplicate_bars(payload: Payload) -> Payload:
    rows = _rows(payload)
    return _with_rows(payload, rows + rows[-1:])


def _unsorted_bars(payload: Payload) -> Payload:
    rows = _rows(payload)
    return _with_rows(payload, rows[1::2] + rows[::2])


def _nan_bars(payload: Payload) -> Payload:
    return _change_middle(payload, ("c", "split_to"), lambda _: None)


def _negative_bars(payload: Payload) -> Payload:
    return _change_middle(payload, ("l", "split_from"), lambda number: -number)


def _change_middle(
    payload: Payload, names: tuple[str, ...], change: Callable[[float], float | None]
) -> Payload:
    """Change one number of the middle row: the one of `names` that it has."""
    rows = _rows(payload)
    middle = len(rows) // 2
    changed = [_changed(row, names, change) for row in rows[middle : middle + 1]]
    return _with_rows(payload, rows[:middle] + changed + rows[middle + 1 :])


def _changed(
    row: Payload, names: tuple[str, ...], change: Callable[[float], float | None]
) -> Payload:
    if "day" in row:
        return row | {"day": _changed(row["day"], names, change)}
    name = next(name for name in names if name in row)
    return row | {name: change(row[name])}


def _empty(payload: Payload) -> Payload:
    return _with_rows(payload, [])


def _wrong_symbol(payload: Payload) -> Payload:
    return payload | {"ticker": "OTHER"}


def _wrong_day(payload: Payload) -> Payload:
    """Date all rows a week earlier, where prices were others."""
    return _with_rows(payload, [_week_earlier(row) for row in _rows(payload)])


def _week_earlier(row: Payload) -> Payload:
    prices = {name: row[name] * 1.01 for name in "ohlc" if isinstance(row.get(name), int | float)}
    return row | prices | {"t": row.get("t", 0) - _MS_A_WEEK}


_MS_A_WEEK: Final = 7 * 86_400_000


def _rows_name(payload: Payload) -> str:
    return "tickers" if "tickers" in payload else "results"


def _rows(payload: Payload) -> list[Payload]:
    rows: list[Payload] = payload.get(_rows_name(payload)) or []
    return rows


def _with_rows(payload: Payload, rows: list[Payload]) -> Payload:
    counts = {name: len(rows) for name in ("resultsCount", "count") if name in payload}
    return payload | {_rows_name(payload): rows} | counts


#: Faults of the data: each changes the payload of an answer.
DATA_FAULTS: Final[dict[str, Callable[[Payload], Payload]]] = {
    "null_results": _null_results,
    "missing_results": _missing_results,
    "duplicate_bars": _duplicate_bars,
    "unsorted_bars": _unsorted_bars,
    "nan_bars": _nan_bars,
    "negative_bars": _negative_bars,
    "empty": _empty,
    "wrong_symbol": _wrong_symbol,
    "wrong_day": _wrong_day,
}
