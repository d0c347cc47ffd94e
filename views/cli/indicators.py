"""`scan indicators`: the registry's columns as a table, as JSON or as the page of the docs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from scanner.indicators.indicator import Column


@click.command()
@click.option("--default", "only_default", is_flag=True, help="Only the columns of every scan.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object by column name.")
@click.option("--markdown", is_flag=True, help="Print the page docs/indicators.md.")
def indicators(only_default: bool, as_json: bool, markdown: bool) -> None:
    """List all columns: unit, bars needed, memory, formula, and their name in ta."""
    from scanner.indicators.registry import DEFAULT_COLUMNS, catalogue, column
    from views.cli.printing import print_json

    columns = [column(name) for name in DEFAULT_COLUMNS] if only_default else catalogue()
    if markdown:
        from views.cli.indicator_page import page

        click.echo(page(), nl=False)
    elif as_json:
        print_json({one.name: _plain(one, one.name in DEFAULT_COLUMNS) for one in columns})
    else:
        _print_table(columns)


def _plain(one: Column, in_every_scan: bool) -> dict[str, Any]:
    from scanner.indicators.deviations import DEVIATIONS

    return {
        "default": in_every_scan,
        "ta": one.ta,
        "parameters": one.parameters,
        "unit": one.unit,
        "bars": one.bars,
        "memory": {"kind": one.memory.kind, "bars": one.memory.bars},
        "formula": one.formula,
        "deviations": list(DEVIATIONS.get(one.stem, ())),
    }


def _print_table(columns: list[Column]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("column", "unit", "bars needed", "memory", "column of ta", "formula"):
        table.add_column(
            name,
            justify="right" if name == "bars needed" else "left",
            no_wrap=name == "column",
            overflow="fold",
        )
    for one in columns:
        numbers = (str(one.bars), str(one.memory))
        table.add_row(one.name, one.unit, *numbers, one.ta or "", one.formula)
    console = Console()
    (console if console.is_terminal else Console(width=250)).print(table)
    click.echo(
        "\nother numbers make other columns: sma_35, bbands_upper_20_2.5; try one: scan verify"
    )
