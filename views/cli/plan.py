"""`scan plan`: a request comes in, what it would ask of the provider goes out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from views.cli.run import Day, stack_for

if TYPE_CHECKING:
    from scheduler.planned import Planned


@click.command()
@click.option("--provider", type=click.Choice(["simulator", "polygon", "files"]))
@click.option("--data", type=click.Path(), help="Parquet or CSV file of bars, or a folder.")
@click.option("--universe", help="all, common, or a file with one symbol a line.")
@click.option("--as-of", type=Day(), help="Session that rows must end on.")
@click.option("--fetch", type=click.Choice(["auto", "grouped", "symbols"]), help="How bars come.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def plan(as_of: dt.date | None, *, as_json: bool, **chosen: str | None) -> None:
    """Say how many calls a scan costs, how long they take and how much comes, without a scan.

    The universe is listed for it, unless that was done in the last week.
    """
    from scheduler.planned import plan_scan
    from scheduler.request import spec_of
    from views.cli.preflight import check_settings
    from views.cli.printing import print_json
    from views.cli.session import read_settings

    settings, home = read_settings(**chosen)
    check_settings(settings)
    with stack_for(settings, home) as (runtime, _):
        planned = plan_scan(runtime, spec_of(runtime, as_of=as_of))
    found = _plain(planned, settings.rate)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _plain(planned: Planned, rate: str) -> dict[str, Any]:
    cost = planned.cost
    return {
        "universe": planned.spec.universe,
        "as_of": str(planned.window.last),
        "symbols": len(planned.universe.symbols),
        "sessions": len(planned.window.days),
        "fetch": "grouped" if planned.need.request.grouped else "symbols",
        "batches": len(planned.plan.batches),
        "calls": dict(cost.calls),
        "total_calls": cost.total,
        "seconds": round(planned.seconds, 1),
        "rate": rate,
        "bytes": cost.size,
    }


def _print(found: dict[str, Any]) -> None:
    how = "a request a session" if found["fetch"] == "grouped" else "a request a symbol"
    click.echo(
        f"{found['universe']} as of {found['as_of']}: {found['symbols']:,} symbols, "
        f"{found['sessions']} sessions, {how}"
    )
    for kind, count in found["calls"].items():
        click.echo(f"{count:>8,} calls for {kind}")
    if not found["calls"]:
        click.echo("no calls: all bars are at hand")
        return
    click.echo(
        f"{found['total_calls']:>8,} calls, {found['seconds'] / 60:,.1f} minutes at "
        f"{found['rate']} (SCANNER_RATE), about {found['bytes'] / 1e6:,.1f} MB before gzip"
    )
