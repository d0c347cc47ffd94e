"""`scan run` and `scan enqueue`: a request comes in, a scan is started and followed."""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

from scanner.errors import ConfigError, ScanRunning, StoreUnavailable
from scanner.plain import plain
from scanner.results.report import CANCELLED, DEGRADED, DONE, ScanReport
from scanner.timeframe import parse_day
from views.cli.endings import unwound_by_signals
from views.cli.home import Home

if TYPE_CHECKING:
    from scanner.bootstrap import Runtime
    from scanner.settings import Settings


class Day(click.ParamType[dt.date]):
    """A date written as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: Any, ctx: Any) -> dt.date:
        """Return the date, or fail with what was expected."""
        if isinstance(value, dt.date):
            return value
        try:
            return parse_day(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Seconds(click.ParamType[float]):
    """A time written as 10s or 2m."""

    name = "10s"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the seconds, or fail with what was expected."""
        match = re.fullmatch(r"([0-9]{1,5})([sm])", str(value), re.ASCII)
        if match is None or not int(match[1]):
            self.fail(f"expected a time as 10s or 2m, got {value!r}", param, ctx)
        return float(match[1]) * (60.0 if match[2] == "m" else 1.0)


@click.command()
@click.option("--provider", type=click.Choice(["simulator", "polygon", "files"]))
@click.option("--data", type=click.Path(), help="Parquet or CSV file of bars, or a folder.")
@click.option("--universe", help="all, common, or a file with one symbol a line.")
@click.option("--as-of", type=Day(), help="Session that rows must end on.")
@click.option("--where", help="A rule of the scan language, instead of the screens.")
@click.option("--fetch", type=click.Choice(["auto", "grouped", "symbols"]), help="How bars come.")
@click.option("--live", is_flag=True, help="Scan the session that is open, by a snapshot.")
@click.option("--every", type=Seconds(), help="With --live: again after so long, as in 10s.")
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=0))
@click.option("--yes", is_flag=True, help="Do not ask before a real provider is called.")
@click.option("--strict", is_flag=True, help="Exit with 5 if the scan is degraded.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def run(
    provider: str | None,
    data: str | None,
    universe: str | None,
    as_of: dt.date | None,
    where: str | None,
    top: int,
    **flags: Any,
) -> int:
    """Scan once: on the stack that is up, else on one that is started and stopped for it."""
    from views.cli.preflight import asked_screens, check_settings, confirm_cost
    from views.cli.session import read_settings

    chosen = {"provider": provider, "data": data, "universe": universe, "fetch": flags["fetch"]}
    settings, home = read_settings(**chosen)
    check_settings(settings)
    screens = asked_screens(settings, where)
    if flags["every"] and not flags["live"]:
        raise ConfigError("--every repeats a live scan: add --live, or let beat start scans")
    with stack_for(settings, home) as (runtime, beat):
        if settings.provider == "polygon":
            confirm_cost(runtime, as_of, screens, yes=flags["yes"])
        while True:
            started = time.monotonic()
            scan_id = _request(runtime, as_of=as_of, screens=screens, live=flags["live"])
            report = finished(runtime, scan_id, beat)
            print_found(report, top=top, where=where, as_json=flags["as_json"])
            if not flags["every"]:
                break
            time.sleep(max(0.0, started + flags["every"] - time.monotonic()))
    return code_of(report, strict=flags["strict"])


@click.command()
@click.option("--universe", help="all, common, or a file with one symbol a line.")
@click.option("--as-of", type=Day(), help="Session that rows must end on.")
@click.option("--where", help="A rule of the scan language, instead of the screens.")
@click.option("--fetch", type=click.Choice(["auto", "grouped", "symbols"]), help="How bars come.")
@click.option("--live", is_flag=True, help="Scan the session that is open, by a snapshot.")
@click.option("--wait", is_flag=True, help="Follow the scan and show its report.")
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=0))
@click.option("--strict", is_flag=True, help="Exit with 5 if the scan is degraded.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def enqueue(
    universe: str | None, as_of: dt.date | None, where: str | None, top: int, **flags: Any
) -> int:
    """Put a scan on the queue of the stack that is up, and print its id."""
    from scanner import bootstrap
    from views.cli.preflight import asked_screens, check_settings
    from views.cli.session import check_against_stack, check_both, read_settings

    settings, home = read_settings(universe=universe, fetch=flags["fetch"])
    check_settings(settings)
    if (facts := home.stack()) is not None:
        check_against_stack(settings, facts)
    screens = asked_screens(settings, where)
    check_both(settings)
    runtime = bootstrap.runtime(settings)
    scan_id = _request(runtime, as_of=as_of, screens=screens, live=flags["live"])
    if not flags["wait"]:
        click.echo(f'{{"id": "{scan_id}"}}' if flags["as_json"] else scan_id)
        return 0
    click.echo(f"scan {scan_id}", err=True)
    report = finished(runtime, scan_id, None)
    print_found(report, top=top, where=where, as_json=flags["as_json"])
    return code_of(report, strict=flags["strict"])


@contextmanager
def stack_for(
    settings: Settings, home: Home
) -> Iterator[tuple[Runtime, Callable[[], None] | None]]:
    """Yield a runtime on the stack that is up, or on one that lives as long as the command."""
    from scanner import bootstrap
    from scanner.settings import load_settings
    from views.cli.session import check_against_stack, check_both, own_stack

    facts = home.stack()
    if facts is not None:
        check_against_stack(settings, facts)
        runtime = bootstrap.runtime(settings)
        check_both(settings)
        if not facts["scheduled"]:
            _refuse_private(runtime, home)
        yield runtime, None
        return
    from rich.console import Console

    console = Console(stderr=True)
    with unwound_by_signals(KeyboardInterrupt()), console.status("starting") as status:

        def tick(name: str) -> None:
            status.update(f"starting {name}")

        with own_stack(settings, home, scheduled=False, tick=tick) as supervisor:
            status.stop()
            runtime = bootstrap.runtime(load_settings(polygon_key=settings.polygon_key))

            def beat() -> None:
                supervisor.restart_dead()
                send(runtime, "reconcile")

            yield runtime, beat
            status.update("stopping")
            status.start()


def _refuse_private(runtime: Runtime, home: Home) -> NoReturn:
    """Refuse to join another `scan run`, which takes its stack away when it ends."""
    from scheduler.request import spec_of

    running = runtime.state.running(spec_of(runtime))
    if running is not None:
        raise ScanRunning(f"scan {running} of this universe is still running", scan_id=running)
    raise ConfigError(
        f"another `scan run` works in {home.folder}: wait for its end, "
        "or start a stack for both with `scan up`"
    )


def send(runtime: Runtime, task: str, *args: str) -> None:
    """Put a task of the control worker on its queue; StoreUnavailable."""
    from kombu.exceptions import OperationalError

    from views.cli.stack import as_variables
    from worker.celery import app

    # The app reads its settings from there at its first use.
    os.environ.update(as_variables(runtime.settings))
    try:
        app.send_task(task, args, queue="control", ignore_result=True)
    except OperationalError as error:
        raise StoreUnavailable(f"the queue does not answer: {error}") from error


def _request(runtime: Runtime, **asked: Any) -> str:
    from scheduler.request import request_scan, spec_of

    scan_id = request_scan(runtime, spec_of(runtime, **asked))
    send(runtime, "start_scan", scan_id)
    return scan_id


def finished(runtime: Runtime, scan_id: str, beat: Callable[[], None] | None) -> ScanReport:
    """Follow a scan to its report; an interrupted run without a stack cancels its scan."""
    from views.cli.follow import follow

    try:
        last = follow(runtime.state, scan_id, beat=beat)
    except KeyboardInterrupt:
        if beat is not None:
            runtime.state.cancel(scan_id, "interrupted")
        else:
            click.echo(f"the scan goes on: scan status {scan_id}", err=True)
        raise
    report = runtime.reports.load(scan_id)
    if report is None or last.state == CANCELLED:
        why = last.fields.get("message", "it has no report")
        raise ConfigError(f"scan {scan_id} was {last.state}: {why}")
    return report


def print_found(report: ScanReport, *, top: int, where: str | None, as_json: bool) -> None:
    """Print a report, and on stderr what is wrong with it as a whole."""
    from scanner.results.perf import perf_line
    from views.cli.advice import next_step
    from views.cli.printing import print_json, print_report
    from views.tables import summary_of, table_of

    if as_json:
        print_json(summary_of(report))
    else:
        shown = "where" if where is not None and "where" in report.screens else ""
        print_report(report, table_of(report, top=top, screen=shown))
        click.echo(perf_line(report))
    if report.facts.message:
        click.echo(f"scan: {plain(report.facts.message, lines=True)}", err=True)
    elif not report.rows:
        click.echo(f"scan: no symbol has a bar on {report.facts.as_of}: is it a session?", err=True)
    elif report.state == DEGRADED:
        click.echo("scan: degraded: some symbols may still have a row, see the ledger", err=True)
    if advice := next_step(report):
        click.echo(f"scan: {advice}", err=True)


def code_of(report: ScanReport, *, strict: bool) -> int:
    """Return the exit code for a report."""
    if report.state == DONE:
        return 0
    return (5 if strict else 0) if report.state == DEGRADED else 1
