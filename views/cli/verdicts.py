"""Verdicts on columns for people and programs: three engines' numbers come in, tables go out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scanner.bars.block import BarBlock
from scanner.indicators.deviations import DEVIATIONS
from scanner.indicators.reference.compare import TOLERANCE, Verdict
from scanner.indicators.reference.ta_lib import DISAGREEMENTS
from scanner.indicators.steps import Steps, steps_of
from scanner.timeframe import day_date

#: Width of what is read by other programs.
_NO_TERMINAL = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The bars of one symbol that were compared."""

    source: str
    timeframe: str
    #: Whether the last bar may still get sessions.
    unfinished: bool
    block: BarBlock


@dataclass(slots=True, kw_only=True)
class WorstRow:
    """One column's largest difference from `ta` over a sample."""

    name: str
    symbols: int = 0
    worst: float = 0.0
    symbol: str = ""
    session: str = ""
    state: str = "equal"
    kinds: str = ""


@dataclass(slots=True, kw_only=True)
class Worst:
    """The largest differences of a sample of symbols."""

    source: str
    asked: int
    missing: int
    rows: dict[str, WorstRow] = field(default_factory=dict)

    @property
    def mistakes(self) -> list[str]:
        """Columns that differ where no deviation is listed."""
        return [row.name for row in self.rows.values() if row.state == "differs"]

    def add(self, block: BarBlock, verdicts: Sequence[Verdict]) -> None:
        """Take up the verdicts on one symbol."""
        for one in verdicts:
            row = self.rows.setdefault(one.column.name, WorstRow(name=one.column.name))
            row.symbols += 1
            if one.state == "differs" or row.state == "equal":
                row.state = one.state
            if one.worst > row.worst or not row.symbol:
                row.worst, row.symbol = one.worst, block.symbols[0]
                row.session = _session(block, one.worst_bar)
                row.kinds = ", ".join(DEVIATIONS.get(one.column.stem, ()))


def print_worst(worst: Worst) -> None:
    """Print a line a column, the largest difference first."""
    click.echo(
        f"{worst.asked - worst.missing} symbols of {worst.source}, whole series against ta; "
        f"equal is within {TOLERANCE:g} of the value or its scale"
    )
    table = _table(("column", "left"), ("worst", "right"), ("symbol", "left"), ("session", "left"))
    table.add_column("verdict", no_wrap=True)
    for row in sorted(worst.rows.values(), key=lambda row: (-row.worst, row.name)):
        note = f"listed: {row.kinds}" if row.state == "listed" else row.state
        table.add_row(row.name, _gap(row.worst), row.symbol, row.session, note)
    _print(table)
    if worst.missing:
        click.echo(f"{worst.missing} symbols have no bars in the lookback")
    _conclude(len(worst.mistakes), len(worst.rows))


def worst_as_json(worst: Worst) -> dict[str, Any]:
    """Return the same as plain values."""
    return {
        "source": worst.source,
        "symbols": worst.asked - worst.missing,
        "missing": worst.missing,
        "columns": {
            row.name: {
                "worst": _plain(row.worst),
                "symbol": row.symbol,
                "session": row.session,
                "verdict": row.state,
                "deviations": row.kinds,
            }
            for row in worst.rows.values()
        },
    }


def print_symbol(facts: Facts, verdicts: Sequence[Verdict], steps: int) -> None:
    """Print a symbol's last values by each engine, and the last `steps` of its recursions."""
    block = facts.block
    click.echo(f"{block.symbols[0]} of {facts.source}, {_bars_text(facts)}")
    table = _table(("column", "left"))
    for name in ("kernels", "ta", "worst of series", "TA-Lib", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("notes")
    for one in verdicts:
        last, theirs, other = _last(one.kernels), _last(one.ta), _last(one.ta_lib)
        gap = "" if other is None or last is None else _gap(abs(last - other))
        numbers = (_number(last), _number(theirs), _gap(one.worst))
        table.add_row(one.column.name, *numbers, _number(other), gap, Text(_notes(block, one)))
    _print(table)
    for group in _of_one_run(verdicts):
        shown = steps_of(block, group[0].column) if steps else None
        if shown is not None:
            _print_steps(block, shown, group, steps)
    _conclude(sum(one.state == "differs" for one in verdicts), len(verdicts))


def symbol_as_json(facts: Facts, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the same as plain values."""
    block = facts.block
    return {
        "source": facts.source,
        "symbol": block.symbols[0],
        "timeframe": facts.timeframe,
        "unfinished": facts.unfinished,
        "session": _session(block, -1),
        "bars": int(block.counts[0]),
        "columns": {
            one.column.name: {
                "kernels": _last(one.kernels),
                "ta": _last(one.ta),
                "ta_lib": _last(one.ta_lib),
                "worst": _plain(one.worst),
                "verdict": one.state,
                "standing": one.column.standing(int(block.counts[0])),
                "deviations": list(DEVIATIONS.get(one.column.stem, ())),
            }
            for one in verdicts
        },
    }


def _notes(block: BarBlock, one: Verdict) -> str:
    return "; ".join(_each_note(block, one))


def _each_note(block: BarBlock, one: Verdict) -> Iterator[str]:
    bars = int(block.counts[0])
    standing = one.column.standing(bars)
    if standing == "insufficient_history":
        yield f"insufficient_history, {bars} of {one.column.bars} bars"
    elif standing == "warming":
        yield f"warming, {bars} of {one.column.memory.bars} bars"
    elif _last(one.kernels) is None:
        yield "unknown"
    stem = one.column.stem
    if one.state == "differs":
        yield "DIFFERS from ta"
    elif one.state == "listed":
        yield f"deviation: {', '.join(DEVIATIONS[stem])}"
    if stem in DISAGREEMENTS:
        yield "TA-Lib has another convention"


def _of_one_run(verdicts: Sequence[Verdict]) -> list[list[Verdict]]:
    """Return the verdicts on columns that come out of one run of a kernel together."""
    groups: dict[tuple[str, Any], list[Verdict]] = {}
    for one in verdicts:
        groups.setdefault((one.column.indicator.name, one.column.params), []).append(one)
    return list(groups.values())


def _print_steps(block: BarBlock, shown: Steps, group: Sequence[Verdict], steps: int) -> None:
    parts = {name: part[0] for name, part in shown.parts.items()}
    parts |= {one.column.name: one.kernels for one in group}
    click.echo(f"\n{', '.join(one.column.name for one in group)}: {shown.rule}")
    table = _table(("session", "left"))
    for name in parts:
        table.add_column(name, justify="right", no_wrap=True)
    for bar in range(-min(steps, int(block.counts[0])), 0):
        cells = (_number(float(part[bar])) for part in parts.values())
        table.add_row(_session(block, bar), *cells)
    _print(table)


def _table(*columns: tuple[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in columns:
        table.add_column(name, justify=justify, no_wrap=True)
    return table


def _print(table: Table) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_NO_TERMINAL)
    console.print(table)


def _conclude(mistakes: int, columns: int) -> None:
    if mistakes:
        click.echo(f"\n{mistakes} of {columns} columns differ from ta in no listed way")
    else:
        click.echo(f"\n{columns} columns: equal to ta, or different in a listed way")


def _bars_text(facts: Facts) -> str:
    bars = f"{int(facts.block.counts[0])} bars of {facts.timeframe}"
    unfinished = ", the last one unfinished" if facts.unfinished else ""
    return f"{bars} up to {_session(facts.block, -1)}{unfinished}"


def _session(block: BarBlock, bar: int) -> str:
    return day_date(int(block.sessions[0, bar])).isoformat()


def _last(series: Any) -> float | None:
    if series is None or not math.isfinite(series[-1]):
        return None
    return float(series[-1])


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> str:
    return "—" if value is None or math.isnan(value) else f"{value:,.6g}"


def _gap(value: float) -> str:
    if math.isinf(value):
        return "missing"
    return "0" if value == 0.0 else f"{value:.1e}"
