"""`scan cancel` and `scan resume`: an id comes in, a scan ends early or goes on after its end."""

from __future__ import annotations

import time
from typing import Any

import click

from scanner.errors import ConfigError


@click.command()
@click.argument("scan_id")
def cancel(scan_id: str) -> None:
    """End a scan that runs, without a report; what it has found so far can be resumed."""
    from views.cli.session import open_stores, read_settings

    settings, home = read_settings()
    with open_stores(settings, home) as stores:
        if not stores.state.cancel(scan_id, "cancelled by `scan cancel`"):
            raise ConfigError(_why_not(stores.state, scan_id, "a scan that runs"))
    click.echo(f"cancelled; what has no row can still be had: scan resume {scan_id}")


@click.command()
@click.argument("scan_id")
@click.option("--wait", is_flag=True, help="Follow the scan and show its report.")
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=0))
@click.option("--strict", is_flag=True, help="Exit with 5 if the scan is degraded.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def resume(scan_id: str, top: int, **flags: Any) -> int:
    """Let a degraded, failed or cancelled scan go on: only what has no final record is tried."""
    from scanner import bootstrap
    from views.cli.run import code_of, finished, print_found, send
    from views.cli.session import check_against_stack, check_both, read_settings

    settings, home = read_settings()
    if (facts := home.stack()) is not None:
        check_against_stack(settings, facts)
    check_both(settings)
    runtime = bootstrap.runtime(settings)
    deadline = _deadline(runtime.state, scan_id, settings.deadline)
    if not runtime.state.reopen(scan_id, deadline):
        what = "a scan that is degraded, failed or cancelled, and had symbols"
        raise ConfigError(_why_not(runtime.state, scan_id, what))
    send(runtime, "resume_scan", scan_id)
    if not flags["wait"]:
        click.echo(f'{{"id": "{scan_id}"}}' if flags["as_json"] else scan_id)
        return 0
    report = finished(runtime, scan_id, None)
    print_found(report, top=top, where=None, as_json=flags["as_json"])
    return code_of(report, strict=flags["strict"])


def _why_not(state: Any, scan_id: str, what: str) -> str:
    progress = state.progress(scan_id)
    if progress is None:
        return f"no scan {scan_id} is known; `scan status` lists the newest"
    return f"expected {what}, scan {scan_id} is {progress.state}"


def _deadline(state: Any, scan_id: str, seconds: float) -> float:
    """Return until when a scan may go on: as long as it was planned for, or the setting's time."""
    from scheduler.dispatch import DEADLINE_FACTOR

    progress = state.progress(scan_id)
    planned = float(progress.fields.get("planned_seconds", 0.0)) if progress else 0.0
    return time.time() + max(seconds, DEADLINE_FACTOR * planned)
