"""`scan settings`: every value with its unit, where it came from, and what it leaves empty."""

from __future__ import annotations

import os

import click

from scanner.errors import ConfigError
from scanner.plain import plain


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object by variable.")
def settings(as_json: bool) -> None:
    """Show every setting, its unit and where its value came from."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from scanner.bootstrap import lookback_days
    from views.cli import origins
    from views.cli.printing import print_json
    from views.cli.session import read_settings

    chosen, home = read_settings()
    stack = (home.stack() or {}).get("variables", {})
    rows = [origins.row(name, chosen, stack) for name in type(chosen).model_fields]
    problem = ""
    try:
        empty = origins.empty_columns(chosen)
    except ConfigError as error:
        empty, problem = [], str(error)
    if as_json:
        print_json({row.pop("name"): row for row in rows} | {"empty_columns": empty})
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("setting", "value", "unit", "from"):
        table.add_column(title, overflow="fold", no_wrap=title in {"setting", "unit"})
    for row in rows:
        table.add_row(*(Text(plain(row[key])) for key in ("name", "value", "unit", "from")))
    Console().print(table)
    if empty:
        days = lookback_days(chosen)
        click.echo(
            f"\n{days} days are about {origins.sessions_in(days)} sessions: "
            "these columns stay empty: "
            f"{', '.join(empty)}"
        )
    if problem:
        click.echo(f"\n{problem}", err=True)
    for name, nearest in origins.unknown_variables(os.environ).items():
        click.echo(f"\n{name} is no setting: did you mean {nearest}?", err=True)
