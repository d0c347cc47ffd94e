"""Verdicts on columns for people and programs: three engines' numbers come in, tables go out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.deviations import Kind
from scanner.indicators.reference.compare import State, Verdict
from scanner.indicators.reference.explain import TOLERANCE
from scanner.indicators.reference.ta_lib import DISAGREEMENTS
from scanner.indicators.steps import Steps, steps_of
from scanner.timeframe import day_date
from views.cli.printing import NO_TERMINAL


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
    """One column's largest difference from its reference over a sample."""

    name: str
    oracle: str
    #: Symbols that have a value.
    symbols: int = 0
    worst: float = 0.0
    symbol: str = ""
    session: str = ""
    state: State = "no value"
    met: set[Kind] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Worst:
    """The largest differences of a sample of symbols."""

    source: str
    timeframe: str
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
            name = one.column.name
            row = self.rows.setdefault(name, WorstRow(name=name, oracle=one.oracle))
            row.symbols += one.state != "no value"
            row.state = max(row.state, one.state, key=_GRAVITY.index)
            row.met |= one.met
            if one.worst > row.worst:
                row.worst, row.symbol = one.worst, block.symbols[0]
                row.session = _session(block, one.worst_bar)


#: From the verdict that says least to the gravest.
_GRAVITY: Final[tuple[State, ...]] = ("no value", "equal", "listed", "differs")


def print_worst(worst: Worst) -> None:
    """Print a line a column, the largest difference first."""
    click.echo(
        f"{_count(worst.asked - worst.missing, 'symbol')} of {worst.source}, bars of "
        f"{worst.timeframe}, against the reference over the whole series; equal is within "
        f"{TOLERANCE:g} of the value or its scale"
    )
    table = _table("column", "reference", "worst", "symbol", "session", "symbols", "verdict")
    for row in sorted(worst.rows.values(), key=lambda row: (-row.worst, row.name)):
        note = f"listed: {', '.join(sorted(row.met))}" if row.state == "listed" else row.state
        place = (row.symbol, row.session, str(row.symbols))
        table.add_row(row.name, row.oracle, _gap(row.worst), *place, note)
    _print(table)
    if worst.missing:
        click.echo(f"{_count(worst.missing, 'symbol')} without bars in the lookback")
    _conclude([row.state for row in worst.rows.values()])


def worst_as_json(worst: Worst) -> dict[str, Any]:
    """Return the same as plain values."""
    return {
        "source": worst.source,
        "timeframe": worst.timeframe,
        "symbols": worst.asked - worst.missing,
        "missing": worst.missing,
        "columns": {
            row.name: {
                "oracle": row.oracle,
                "symbols": row.symbols,
                "worst": _plain(row.worst),
                "symbol": row.symbol or None,
                "session": row.session or None,
                "verdict": row.state,
                "deviations": sorted(row.met),
            }
            for row in worst.rows.values()
        },
    }


def print_symbol(facts: Facts, verdicts: Sequence[Verdict], steps: int) -> None:
    """Print a symbol's last values by each engine, and the last `steps` of its recursions."""
    block = facts.block
    click.echo(f"{block.symbols[0]} of {facts.source}, {_bars_text(facts)}")
    click.echo("the reference is ta, pandas for columns that ta lacks, TA-Lib for its patterns")
    table = _table("column", "kernels", "reference", "worst", "TA-Lib", "off", "notes")
    for one in verdicts:
        numbers = (_number(_last(one.kernels)), _number(_last(one.reference)), _gap(one.worst))
        other = ("", "") if one.ta_lib is None else (_number(_last(one.ta_lib)), _gap(one.off))
        table.add_row(one.column.name, *numbers, *other, Text(_notes(block, one)))
    _print(table)
    click.echo(
        "worst: largest difference from the reference over the series; off: of the last value "
        "from TA-Lib's; both relative to the value or its scale"
    )
    for group in _of_one_run(verdicts):
        shown = steps_of(block, group[0].column) if steps else None
        if shown is not None:
            _print_steps(block, shown, group, steps)
    _conclude([one.state for one in verdicts])


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
                "reference": _last(one.reference),
                "oracle": one.oracle,
                "ta": _last(one.reference) if one.oracle == "ta" else None,
                "ta_lib": _last(one.ta_lib),
                "worst": _plain(one.worst),
                "verdict": one.state,
                "standing": one.column.standing(int(block.counts[0])),
                "deviations": sorted(one.met),
            }
            for one in verdicts
        },
    }


def _notes(block: BarBlock, one: Verdict) -> str:
    return "; ".join(_each_note(block, one))


def _each_note(block: BarBlock, one: Verdict) -> Iterator[str]:
    if one.state == "differs":
        yield f"DIFFERS from {one.oracle}"
    bars = int(block.counts[0])
    standing = one.column.standing(bars)
    if standing == "insufficient_history":
        yield f"insufficient_history, {bars} of {one.column.bars} bars"
    elif standing == "warming":
        yield f"warming, {bars} of {one.column.memory.bars} bars"
    elif _last(one.kernels) is None:
        yield "unknown"
    if one.state == "listed":
        yield f"deviation: {', '.join(sorted(one.met))}"
    if one.column.stem in DISAGREEMENTS:
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
    table = _table("session", *parts)
    for bar in range(-min(steps, int(block.counts[0])), 0):
        cells = (_number(float(part[bar])) for part in parts.values())
        table.add_row(_session(block, bar), *cells)
    _print(table)


#: Columns of tables that hold text.
_TEXT: Final = frozenset({"column", "notes", "symbol", "session", "verdict"})


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        folds = name in {"notes", "verdict"}
        justify: Literal["left", "right"] = "left" if name in _TEXT else "right"
        table.add_column(
            name, justify=justify, no_wrap=not folds, overflow="fold" if folds else "ellipsis"
        )
    return table


def _print(table: Table) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=NO_TERMINAL)
    console.print(table)


def _conclude(states: Sequence[State]) -> None:
    count = Counter(states)
    compared = len(states) - count["no value"]
    text = f"{_count(compared, 'column')} compared: {count['equal']} equal"
    text += f", {count['listed']} different in a listed way" if count["listed"] else ""
    text += f", {count['differs']} DIFFERENT" if count["differs"] else ""
    text += f"; {count['no value']} without a value" if count["no value"] else ""
    click.echo(f"\n{text}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _bars_text(facts: Facts) -> str:
    bars = f"{_count(int(facts.block.counts[0]), 'bar')} of {facts.timeframe}"
    unfinished = ", the last one unfinished" if facts.unfinished else ""
    return f"{bars} up to {_session(facts.block, -1)}{unfinished}"


def _session(block: BarBlock, bar: int) -> str:
    return day_date(int(block.sessions[0, bar])).isoformat()


def _last(series: FloatArray | None) -> float | None:
    if series is None or not math.isfinite(series[-1]):
        return None
    return float(series[-1])


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else "missing"


def _number(value: float | None) -> str:
    return "—" if value is None or math.isnan(value) else f"{value:,.6g}"


def _gap(value: float) -> str:
    if math.isinf(value):
        return "missing"
    return "0" if value == 0.0 else f"{value:.1e}"
