"""Running totals in rules: a number comes in, the totals whose level it depends on go out.

A running total begins at the first bar of the lookback: another lookback gives another level, and
no level can be compared with a number, with another symbol or with another total. Its change, its
slope, and itself at another bar can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scanner.bars.block import FIELDS
from scanner.indicators.registry import column
from scanner.rules.tree import (
    Ago,
    Arithmetic,
    Count,
    CrossSection,
    Expression,
    OnTimeframe,
    Rolling,
    Series,
    Since,
    is_condition,
    parts,
)


def of(x: Expression) -> frozenset[str]:
    """Return the running totals whose level the number `x` depends on."""
    match x:
        case Series(name=name):
            total = name not in FIELDS and column(name).memory.kind == "cumulative"
            return frozenset({name}) if total else frozenset()
        case Count() | Since() | CrossSection():
            return frozenset()
        case Rolling(op="change" | "slope"):
            inner = of(x.x)
            return inner if _SCALED in inner else frozenset()
        case OnTimeframe(timeframe=timeframe):
            return frozenset(f"{name} {timeframe}" for name in of(x.x))
        case Ago() | Rolling():
            return of(x.x)
    found = [of(part) for part in parts(x) if not is_condition(part)]
    return _joined(x.op if isinstance(x, Arithmetic) else "", found)


def _joined(op: str, found: Sequence[frozenset[str]]) -> frozenset[str]:
    """Return the totals of numbers that are joined by `op`, or chosen from."""
    totals = frozenset[str]().union(*found)
    if not totals:
        return totals
    alike, alone = len(set(found)) == 1, len(found) == 2 and not (found[0] and found[1])
    match op:
        case "-" if alike:
            return frozenset()
        case "+" | "-" if alone:
            return totals
        case "min" | "max" | "coalesce" if alike:
            return totals
    return totals | {_SCALED}


#: Stands among the totals of a number that is not a level any more, nor free of one.
_SCALED: Final = ""


def may_be_compared(left: Expression, right: Expression) -> bool:
    """Return whether both are free of running totals, or levels of the same one."""
    ours = of(left)
    return ours == of(right) and _SCALED not in ours


def refusal(*numbers: Expression) -> str:
    """Return why `numbers` cannot be compared."""
    names = sorted(frozenset[str]().union(*(of(number) for number in numbers)))
    name = next(name for name in names if name != _SCALED)
    return (
        f"{name} is a running total, whose level depends on where the history begins: "
        f"compare its change or slope, as in change(20, {name}) > 0, or {name} with ago(1, {name})"
    )
