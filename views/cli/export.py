"""`scan export`: the id of a scan comes in, all its rows go out as CSV, JSON or parquet."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("scan_id", required=False)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "json", "parquet"]),
    default="csv",
    show_default=True,
)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File.")
def export(scan_id: str | None, kind: str, output: Path | None) -> None:
    """Write all rows of a scan, one a symbol, the newest scan by default."""
    from scanner.results.export import export_report
    from views.cli.show import the_report

    with the_report(scan_id) as report:
        data = export_report(report, kind)
        name = report.facts.id
    if output is None and kind == "parquet":
        output = Path(f"{name}.parquet")
    if output is None:
        sys.stdout.buffer.write(data)
        return
    part = output.with_name(output.name + ".part")
    try:
        part.write_bytes(data)
        part.replace(output)
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error}") from error
    click.echo(f"{output}: {len(report.rows)} rows", err=True)
