"""Expressions in words: a part of the tree comes in, the text that would be read as it goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from scanner.bars.block import FIELDS
from scanner.indicators.registry import column
from scanner.rules.tree import (
    Ago,
    Arithmetic,
    Choice,
    Comparison,
    Constant,
    Count,
    CrossSection,
    Expression,
    Held,
    Known,
    Logic,
    Membership,
    OnTimeframe,
    Relative,
    Rolling,
    Series,
    Since,
)


def worded(x: Expression) -> str:
    """Return `x` as it can be written; every compound part in brackets."""
    return _WORDED[type(x)](x)


def _called(name: str, *args: object) -> str:
    words = (one if isinstance(one, str | int) else worded(one) for one in args)  # type: ignore[arg-type]
    return f"{name}({', '.join(str(word) for word in words)})"


def quoted(text: str) -> str:
    """Return a text as it is written in a rule."""
    return f"'{text}'" if '"' in text else f'"{text}"'


def _series(x: Series) -> str:
    if x.name in FIELDS:
        return x.name
    stem = column(x.name).stem
    numbers = x.name.removeprefix(stem).split("_")[1:]
    return f"{stem}({', '.join(numbers)})" if numbers else stem


def _arithmetic(x: Arithmetic) -> str:
    if x.op == "negative":
        return f"-{worded(x.args[0])}"
    if x.op in {"+", "-", "*", "/"}:
        return f"({worded(x.args[0])} {x.op} {worded(x.args[1])})"
    return _called(x.op, *x.args)


def _logic(x: Logic) -> str:
    if x.op == "not":
        return f"(not {worded(x.args[0])})"
    return f"({f' {x.op} '.join(worded(one) for one in x.args)})"


def _membership(x: Membership) -> str:
    if not x.values:
        return x.field
    return f"{x.field} in ({', '.join(quoted(text) for text in sorted(x.values))})"


def _timeframe(x: OnTimeframe) -> str:
    return _called("tf", quoted(x.timeframe + "!" * x.finished), x.x)


_WORDED: Final[Mapping[type[Expression], Callable[[Any], str]]] = {
    Constant: lambda x: f"{x.value:.15g}",
    Series: _series,
    Arithmetic: _arithmetic,
    Choice: lambda x: _called("if", x.condition, x.then, x.other),
    Comparison: lambda x: f"({worded(x.left)} {x.op} {worded(x.right)})",
    Membership: _membership,
    Logic: _logic,
    Known: lambda x: f"({worded(x.x)} is not null)",
    Ago: lambda x: _called("ago", x.bars, x.x),
    Held: lambda x: _called(x.op, x.bars, x.x),
    Count: lambda x: _called("count", x.bars, x.x),
    Since: lambda x: _called("since", x.x),
    Rolling: lambda x: _called(x.op, x.bars, x.x),
    OnTimeframe: _timeframe,
    CrossSection: lambda x: _called(x.op, *([x.by] if x.by else []), x.x),
    Relative: lambda x: _called(x.op, quoted(x.benchmark), x.bars),
}
