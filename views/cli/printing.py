"""Reports on a terminal or in a pipe: tables come in, text goes out on stdout."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Collection
from typing import Any, Final

import click
import orjson
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from scanner.plain import plain
from scanner.results.report import ScanReport
from views.tables import Table, age_of, compact, ledger_line, screen_line

#: Width of what is read by other programs.
NO_TERMINAL: Final = 1_000


def console_of() -> Console:
    """Return where tables go: as wide as the terminal, or as they are in a pipe."""
    return Console() if sys.stdout.isatty() else Console(width=NO_TERMINAL)


def print_json(value: Any) -> None:
    """Print one JSON value, indented on a terminal."""
    option = orjson.OPT_INDENT_2 if sys.stdout.isatty() else 0
    text = orjson.dumps(value, option=option).decode()
    if not text.replace("\n", "").isprintable():
        text = "".join(c if c.isprintable() or c == "\n" else _as_json(c) for c in text)
    click.echo(text)


def _as_json(character: str) -> str:
    """Return a character as JSON writes it for those who read nothing but ASCII."""
    return json.dumps(character)[1:-1]


def print_report(
    report: ScanReport, table: Table, *, fit: bool = True, screens: bool = True
) -> None:
    """Print what a scan found: its data's age, the ranked rows, and the ledger.

    On a terminal columns that do not fit are left out and counted, unless `fit` is False.
    `screens`: say what each of them kept.
    """
    console = console_of()
    width = console.width if fit else NO_TERMINAL
    facts = report.facts
    mark = "SIMULATED " if facts.simulated else ""
    mark += "LIVE " if facts.live else ""
    console.print(
        Text(
            f"{mark}scan {facts.id}: {report.state}, "
            f"{age_of(report, dt.datetime.now(dt.UTC))}, source {facts.source}"
        ),
        style="bold",
        soft_wrap=True,
    )
    for note in facts.notes:
        console.print(Text(f"note: {plain(note)}"), style="yellow", soft_wrap=True)
    if table.rows:
        shown = rich_table(table, width)
        console.print(shown, width=width, crop=False, overflow="ignore", no_wrap=True)
        if hidden := len(table.columns) - len(shown.columns):
            console.print(f"{hidden} columns do not fit: a wider terminal, --columns, or a pipe")
    if any(row[1] in table.partial for row in table.rows):
        console.print(
            Text("* a component of the score is missing, its share is dropped: scan why SYMBOL"),
            soft_wrap=True,
        )
    if any(table.warming_in(row) for row in table.rows):
        console.print(Text("~ more history would change the value"), soft_wrap=True)
    for name in report.screens if screens else ():
        console.print(Text(screen_line(report, name)), soft_wrap=True)
    console.print(Text(ledger_line(report)), soft_wrap=True)
    if len(table.rows) < table.of:
        console.print(
            Text(f"{len(table.rows)} of {table.of} rows; more: scan show --top 100{table.option}"),
            soft_wrap=True,
        )


def rich_table(table: Table, width: int) -> RichTable:
    """Return a table that fits `width`: last columns are left out where they do not."""
    marked = {name for row in table.rows for name in table.warming_in(row)}
    cells = [_cells(table, row, marked) for row in table.rows]
    shown = RichTable(box=None, pad_edge=False, header_style="bold")
    used = 0
    kept = 0
    for index, name in enumerate(table.columns):
        used += max([len(name), *(len(row[index]) for row in cells)]) + 2
        if used > max(width, 40):
            break
        shown.add_column(Text(name), justify="left" if name == "symbol" else "right", no_wrap=True)
        kept += 1
    for row in cells:
        shown.add_row(*(Text(cell) for cell in row[:kept]))
    return shown


def _cells(table: Table, row: tuple[Any, ...], marked: Collection[str]) -> list[str]:
    cells = [compact(value, name) for name, value in zip(table.columns, row, strict=True)]
    score, symbol = table.columns.index("score"), table.columns.index("symbol")
    cells[score] += "*" if row[symbol] in table.partial else " "
    warming = table.warming_in(row)
    for name in marked:
        cells[table.columns.index(name)] += "~" if name in warming else " "
    return cells
