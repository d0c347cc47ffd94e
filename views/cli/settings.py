"""`scan settings`: every value with its unit, where it came from, and what it leaves empty."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from scanner.settings import PREFIX, PROFILES, Settings

#: Sessions in a calendar year, to tell bars from days.
_SESSIONS_A_YEAR = 252


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object by variable.")
def settings(as_json: bool) -> None:
    """Show every setting, its unit and where its value came from."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from views.cli.printing import print_json
    from views.cli.session import read_settings

    chosen, home = read_settings()
    stack_file = home.stack_env if home.stack() is not None else None
    rows = [_row(name, chosen, stack_file) for name in type(chosen).model_fields]
    empty = empty_columns(chosen.lookback_days)
    if as_json:
        print_json({row.pop("name"): row for row in rows} | {"empty_columns": empty})
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("setting", "value", "unit", "from"):
        table.add_column(title, overflow="fold", no_wrap=title in {"setting", "unit"})
    for row in rows:
        table.add_row(*(Text(str(row[key])) for key in ("name", "value", "unit", "from")))
    Console().print(table)
    if empty:
        click.echo(
            f"\n{chosen.lookback_days} days are about {sessions_in(chosen.lookback_days)} "
            f"sessions: these columns stay empty: {', '.join(empty)}"
        )
    for name, nearest in unknown_variables(os.environ).items():
        click.echo(f"\n{name} is no setting: did you mean {nearest}?", err=True)


def sessions_in(days: int) -> int:
    """Return about how many sessions are in so many calendar days."""
    return days * _SESSIONS_A_YEAR // 365


def empty_columns(lookback_days: int) -> list[str]:
    """Return the columns that need more bars than the lookback has."""
    from scanner.indicators.registry import DEFAULT_COLUMNS, column

    bars = sessions_in(lookback_days)
    return [name for name in DEFAULT_COLUMNS if column(name).bars > bars]


def _row(name: str, chosen: Settings, stack_file: Path | None) -> dict[str, Any]:
    field = type(chosen).model_fields[name]
    extra = field.json_schema_extra
    value = getattr(chosen, name)
    variable = "POLYGON_API_KEY" if name == "polygon_key" else PREFIX + name.upper()
    return {
        "name": variable,
        "value": "not set" if value is None else _shown(value),
        "unit": extra["unit"] if isinstance(extra, dict) else "",
        "from": origin(name, chosen, stack_file),
        "about": field.description,
    }


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={share:g}" for key, share in value.items())
    return str(value)


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return each SCANNER_* variable that no setting reads, with the nearest that exists."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    strangers = sorted(
        name
        for name in environ
        if name.startswith(PREFIX) and name not in known and not name.startswith("SCANNER_TEST_")
    )
    return {n: (difflib.get_close_matches(n, known, n=1) or ["one of these"])[0] for n in strangers}


def origin(name: str, chosen: Settings, stack_file: Path | None) -> str:
    """Return where the value of a setting came from, for people."""
    variables = ("POLYGON_API_KEY", "MASSIVE_API_KEY") if name == "polygon_key" else ()
    for variable in (*variables, PREFIX + name.upper()):
        if os.environ.get(variable):
            return f"environment {variable}"
    if stack_file is not None and f"{PREFIX}{name.upper()}=" in stack_file.read_text():
        return "the stack that is up"
    if name == "profile" and os.environ.get("PRO_PLUS_OPTIMIZED") == "1":
        return "environment PRO_PLUS_OPTIMIZED"
    if name == "provider" and chosen.provider == "files":
        return "environment SCANNER_DATA"
    if name in PROFILES[chosen.profile] and getattr(chosen, name) != "unlimited":
        return f"profile {chosen.profile}"
    return "default"
