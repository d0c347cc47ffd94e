"""`scan status`: the stack and the newest scans, or one scan, as they stand now."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from scanner.errors import ConfigError
from scanner.plain import plain


@click.command()
@click.argument("scan_id", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(scan_id: str | None, as_json: bool) -> None:
    """Show whether a stack is up, and where the newest scans stand."""
    from views.cli.printing import print_json
    from views.cli.session import open_stores, read_settings

    settings, home = read_settings()
    facts = home.stack()
    if facts is not None:
        facts.pop("variables", None)
    with open_stores(settings, home) as stores:
        ids = [scan_id] if scan_id else stores.reports.newest(10)
        scans = [scan for one in ids if (scan := _scan(stores.state, one)) is not None]
    if scan_id and not scans:
        raise ConfigError(f"no scan {scan_id} is known; `scan status` lists the newest")
    found: dict[str, Any] = {"up": facts is not None, "stack": facts or {}, "scans": scans}
    if as_json:
        print_json(found)
        return
    click.echo(_stack_line(facts))
    for loop in (facts or {}).get("crash_loops", {}).values():
        click.echo(loop, err=True)
    for scan in scans:
        click.echo(
            f"{scan['id']}  {scan['state']:<9}  {scan['recorded']:>6}/{scan['symbols']:<6} "
            f"{scan['asked_at']}  {plain(scan['universe'])}  {plain(scan['message'])}".rstrip()
        )
        if scan_id and scan["events"]:
            click.echo("  " + ", ".join(f"{name} {n}" for name, n in scan["events"].items()))


def _stack_line(facts: dict[str, Any] | None) -> str:
    if facts is None:
        return "no stack is up: start one with `scan up`, or scan once with `scan run`"
    names = ", ".join(facts["processes"])
    flower = f"; Flower at {facts['flower']}" if facts["flower"] else ""
    return f"the stack is up (process {facts['pid']}): {names}{flower}"


def _scan(state: Any, scan_id: str) -> dict[str, Any] | None:
    progress = state.progress(scan_id)
    if progress is None:
        return None
    asked = float(progress.fields.get("asked_at", 0.0))
    return {
        "id": scan_id,
        "state": progress.state,
        "symbols": progress.total,
        "recorded": progress.recorded,
        "waiting": progress.waiting,
        "tasks": int(float(progress.fields.get("tasks", 0))),
        "batches": int(progress.fields.get("batches", 0)),
        "asked_at": dt.datetime.fromtimestamp(asked, dt.UTC).isoformat(timespec="seconds"),
        "universe": progress.fields.get("universe", ""),
        "served_by": sorted(n.removeprefix("by:") for n in progress.fields if n[:3] == "by:"),
        "message": progress.fields.get("message", ""),
        "events": progress.events,
    }
