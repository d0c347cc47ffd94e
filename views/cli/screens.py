"""`scan screens`: a file of screens comes in, what each looks for and what is wrong goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from scanner.plain import plain

if TYPE_CHECKING:
    from scanner.rules.screens import Screen, Screens


@click.command()
@click.option("--file", "path", type=click.Path(), help="TOML file; SCANNER_SCREENS by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def screens(path: str | None, as_json: bool) -> int:
    """List the screens of a file, or those that come with the scanner, and check them.

    Exits with 2 if one has a mistake.
    """
    from views.cli.printing import print_json

    found = _read(path)
    good = [_plain(one) for one in found.good]
    if as_json:
        print_json({"screens": good, "mistakes": dict(found.mistakes)})
    else:
        for one in good:
            _print(one)
        for mistake in found.mistakes.values():
            click.echo(f"scan: {plain(mistake, lines=True)}", err=True)
    return 2 if found.mistakes else 0


def _read(path: str | None) -> Screens:
    from scanner.bootstrap import screens_text
    from scanner.rules.screens import read_screens
    from scheduler.universe import told_of
    from views.cli.session import read_settings

    settings, _ = read_settings(**({"screens": path} if path else {}))
    told = told_of(settings)
    return read_screens(screens_text(settings), str(settings.screens or "screens.toml"), told)


def _plain(screen: Screen) -> dict[str, Any]:
    filters = {name: rule.source for name, rule in screen.universe.items()}
    if screen.history:
        filters["history"] = f"{screen.history} bars"
    return {
        "name": screen.name,
        "description": screen.description,
        "source": screen.source,
        "where": " ".join(screen.where.source.split()) if screen.where else "",
        "rank_by": screen.ranking,
        "columns": list(screen.columns),
        "limit": screen.limit,
        "universe": filters,
        "bars": screen.bars,
    }


def _print(screen: dict[str, Any]) -> None:
    click.secho(screen["name"], bold=True)
    click.echo(f"  {screen['description']}")
    click.echo(f"  where {screen['where']}")
    if screen["rank_by"]:
        click.echo(f"  rank by {screen['rank_by']}")
    for filter_ in screen["universe"].values():
        click.echo(f"  only {filter_}")
    click.echo(f"  needs {screen['bars']} bars")
