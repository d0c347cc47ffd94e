"""`scan run` and `scan enqueue`: a request comes in, a scan is started and followed."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from scanner.errors import ConfigError, StoreUnavailable
from scanner.results.report import DEGRADED, DONE, ScanReport
from scanner.timeframe import parse_day
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


@click.command()
@click.option("--provider", type=click.Choice(["simulator", "polygon", "files"]))
@click.option("--data", type=click.Path(), help="Parquet or CSV file of bars, or a folder.")
@click.option("--universe", help="all, common, or a file with one symbol a line.")
@click.option("--as-of", type=Day(), help="Session that rows must end on.")
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=0))
@click.option("--yes", is_flag=True, help="Do not ask before a real provider is called.")
@click.option("--strict", is_flag=True, help="Exit with 5 if the scan is degraded.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def run(
    provider: str | None,
    data: str | None,
    universe: str | None,
    as_of: dt.date | None,
    top: int,
    **flags: bool,
) -> int:
    """Scan once: on the stack that is up, else on one that is started and stopped for it."""
    from views.cli.session import read_settings

    settings, home = read_settings(provider=provider, data=data, universe=universe)
    _check_before_start(settings)
    with _stack_for(settings, home) as (runtime, beat):
        if settings.provider == "polygon":
            _confirm_cost(runtime, as_of, yes=flags["yes"])
        scan_id = _request(runtime, as_of)
        report = _finished(runtime, scan_id, beat)
        _print(report, settings, top=top, as_json=flags["as_json"])
    return _code(report, strict=flags["strict"])


@click.command()
@click.option("--universe", help="all, common, or a file with one symbol a line.")
@click.option("--as-of", type=Day(), help="Session that rows must end on.")
@click.option("--wait", is_flag=True, help="Follow the scan and show its report.")
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=0))
@click.option("--strict", is_flag=True, help="Exit with 5 if the scan is degraded.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def enqueue(universe: str | None, as_of: dt.date | None, top: int, **flags: bool) -> int:
    """Put a scan on the queue of the stack that is up, and print its id."""
    from scanner import bootstrap
    from views.cli.session import check_redis, read_settings

    settings, _ = read_settings(universe=universe)
    _check_before_start(settings)
    check_redis(bootstrap.redis_client(settings))
    runtime = bootstrap.runtime(settings)
    scan_id = _request(runtime, as_of)
    if not flags["wait"]:
        click.echo(f'{{"id": "{scan_id}"}}' if flags["as_json"] else scan_id)
        return 0
    click.echo(f"scan {scan_id}", err=True)
    report = _finished(runtime, scan_id, None)
    _print(report, settings, top=top, as_json=flags["as_json"])
    return _code(report, strict=flags["strict"])


def _check_before_start(settings: Settings) -> None:
    """Refuse what can be seen to be wrong before any process is started."""
    from scanner.bars.files import FilesProvider
    from scheduler.universe import read_symbols

    if settings.provider == "files" and settings.data is not None:
        FilesProvider(settings.data.expanduser()).last_session()
    path = os.path.expanduser(settings.universe)  # noqa: PTH111 - a name may be no path
    if "/" in path or os.path.isfile(path):  # noqa: PTH113 - as above
        from pathlib import Path

        read_symbols(Path(path))
    elif settings.universe not in {"all", "common"}:
        raise ConfigError(
            f"SCANNER_UNIVERSE: {settings.universe!r} is neither a file nor a name: "
            "expected all, common, or a file with one symbol a line"
        )
    public = type(settings).model_fields["polygon_url"].default == settings.polygon_url
    if settings.provider == "polygon" and public and settings.polygon_key is None:
        raise ConfigError(
            "the provider polygon needs a key: set POLYGON_API_KEY, or try without "
            "one on the simulated market: SCANNER_PROVIDER=simulator"
        )


@contextmanager
def _stack_for(
    settings: Settings, home: Home
) -> Iterator[tuple[Runtime, Callable[[], None] | None]]:
    """Yield a runtime on the stack that is up, or on one that lives as long as the command."""
    from scanner import bootstrap
    from scanner.settings import load_settings
    from views.cli.session import check_redis, own_stack

    if home.stack() is not None:
        runtime = bootstrap.runtime(settings)
        check_redis(runtime.redis)
        yield runtime, None
        return
    from rich.console import Console

    console = Console(stderr=True)
    with (
        _terminated_as_interrupted(),
        console.status("starting") as status,
        own_stack(
            settings,
            home,
            scheduled=False,
            tick=lambda name: status.update(f"starting {name}"),
        ),
    ):
        status.stop()
        from worker.celery import app

        runtime = bootstrap.runtime(load_settings(polygon_key=settings.polygon_key))
        yield runtime, lambda: _send(app, "reconcile")


def _send(app: Any, task: str, *args: str) -> None:
    from kombu.exceptions import OperationalError

    try:
        app.send_task(task, args, queue="control", ignore_result=True)
    except OperationalError as error:
        raise StoreUnavailable(f"the queue does not answer: {error}") from error


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C, so that what was started is stopped."""

    def interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _request(runtime: Runtime, as_of: dt.date | None) -> str:
    from scheduler.request import request_scan, spec_of
    from views.cli.stack import as_variables
    from worker.celery import app

    os.environ.update(as_variables(runtime.settings))
    scan_id = request_scan(runtime, spec_of(runtime, as_of=as_of))
    _send(app, "start_scan", scan_id)
    return scan_id


def _confirm_cost(runtime: Runtime, as_of: dt.date | None, *, yes: bool) -> None:
    from scheduler.dispatch import preview
    from scheduler.request import spec_of

    _, plan = preview(runtime, spec_of(runtime, as_of=as_of))
    symbols = sum(len(batch) for batch in plan.batches)
    rate = runtime.settings.rate
    click.echo(
        f"{symbols:,} symbols, {plan.calls:,} calls to {runtime.settings.polygon_url}, "
        f"{plan.seconds / 60:,.1f} minutes at {rate} (SCANNER_RATE)",
        err=True,
    )
    if not plan.calls or yes or _on_this_machine(runtime.settings.polygon_url):
        return
    if not sys.stdin.isatty():
        raise ConfigError("a scan of the real market has to be confirmed: --yes (make: YES=1)")
    click.confirm("Scan?", abort=True, err=True)


def _on_this_machine(url: str) -> bool:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}


def _finished(runtime: Runtime, scan_id: str, beat: Callable[[], None] | None) -> ScanReport:
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
    if report is None:
        why = last.fields.get("message", "it has no report")
        raise ConfigError(f"scan {scan_id} was {last.state}: {why}")
    return report


def _print(report: ScanReport, settings: Settings, *, top: int, as_json: bool) -> None:
    from scanner.results.perf import perf_line
    from views.cli.printing import print_json, print_report
    from views.tables import summary_of, table_of

    if as_json:
        print_json(summary_of(report))
    else:
        print_report(report, table_of(report, top=top))
        click.echo(perf_line(report, settings.workers, settings.threads))
    if report.facts.message:
        click.echo(f"scan: {report.facts.message}", err=True)
    elif report.state == DEGRADED:
        click.echo("scan: degraded: some symbols may still have a row, see the ledger", err=True)


def _code(report: ScanReport, *, strict: bool) -> int:
    if report.state == DONE:
        return 0
    return (5 if strict else 0) if report.state == DEGRADED else 1
