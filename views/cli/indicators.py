"""`scan indicators`: the registry's columns as a table or as JSON."""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object by column name.")
def indicators(as_json: bool) -> None:
    """List the columns of a row: parameters, unit, bars needed, and their name in `ta`."""
    from rich.console import Console
    from rich.table import Table

    from scanner.indicators.registry import DEFAULT_COLUMNS, column
    from views.cli.printing import print_json

    columns = [column(name) for name in DEFAULT_COLUMNS]
    if as_json:
        print_json(
            {
                one.name: {
                    "ta": one.ta,
                    "parameters": one.parameters,
                    "unit": one.unit,
                    "bars": one.bars,
                    "formula": one.formula,
                }
                for one in columns
            }
        )
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("column", "unit", "bars needed", "column of ta"):
        table.add_column(name, justify="right" if name == "bars needed" else "left")
    for one in columns:
        table.add_row(one.name, one.unit, str(one.bars), one.ta or "")
    Console().print(table)
