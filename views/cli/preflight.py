"""What can be refused before any process is started, and what a real scan will cost."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from scanner.bars.budget import Unlimited, parse_rate
from scanner.bars.files import FilesProvider
from scanner.bars.polygon import PolygonProvider
from scanner.bars.universe import check_universe
from scanner.bootstrap import Runtime, row_columns, screens_text
from scanner.errors import ConfigError
from scanner.plain import plain
from scanner.rules.check import compile_rule
from scanner.rules.screens import one_screen, read_screens
from scanner.settings import Settings


def check_settings(settings: Settings) -> None:
    """Refuse data, universes, rates and keys that no scan can use, by ConfigError."""
    try:
        parse_rate(settings.rate)
    except ConfigError as error:
        raise ConfigError(f"SCANNER_RATE: {error}") from error
    row_columns(settings)
    _check_universe(settings.universe)
    if settings.provider == "files" and settings.data is not None:
        FilesProvider(settings.data.expanduser()).last_session()
    if settings.provider == "polygon":
        _check_key(settings)


def _check_universe(universe: str) -> None:
    from scheduler.universe import read_symbols

    if "/" in universe:
        read_symbols(Path(universe))
        return
    try:
        check_universe(universe)
    except ConfigError as error:
        raise ConfigError(f"SCANNER_UNIVERSE: neither a file nor a name: {error}") from error


def _check_key(settings: Settings) -> None:
    public = Settings.model_fields["polygon_url"].default == settings.polygon_url
    if public and settings.polygon_key is None:
        raise ConfigError(
            "the provider polygon needs a key: set POLYGON_API_KEY, or try without one on the "
            "simulated market: SCANNER_PROVIDER=simulator"
        )
    key = settings.polygon_key
    PolygonProvider(
        base_url=settings.polygon_url,
        key=None if key is None else key.get_secret_value(),
        threads=1,
        budget=Unlimited(),
        time_budget=1.0,
    )


def asked_screens(settings: Settings, where: str | None) -> str:
    """Return the screens of a scan as TOML; a mistake in `where` is a ConfigError.

    Screens of a file with a mistake are reported; the others run.
    """
    from scheduler.universe import told_of

    told = told_of(settings)
    if where is not None:
        compile_rule(where, told)
        return one_screen("where", where)
    text = screens_text(settings)
    found = read_screens(text, str(settings.screens or "screens.toml"), told)
    for mistake in found.mistakes.values():
        click.echo(f"scan: {plain(mistake, lines=True)}", err=True)
    return text or "\n"  # nothing at all would stand for the stack's own screens


def confirm_cost(runtime: Runtime, as_of: dt.date | None, screens: str = "", *, yes: bool) -> None:
    """Say what a scan of a real provider costs, and ask; ConfigError if nobody can answer.

    A provider on this machine is not asked for.
    """
    from scheduler.planned import plan_scan
    from scheduler.request import spec_of

    settings = runtime.settings
    click.echo(f"listing the symbols of {settings.polygon_url} (some calls)", err=True)
    planned = plan_scan(runtime, spec_of(runtime, as_of=as_of, screens=screens))
    what = f"{len(planned.universe.symbols):,} symbols, "
    calls = planned.plan.calls + planned.need.requests
    confirm_calls(settings, calls, seconds=planned.seconds, what=what, yes=yes)


def confirm_calls(
    settings: Settings, calls: int, *, yes: bool, seconds: float = 0.0, what: str = ""
) -> None:
    """Say what so many calls cost, and ask; ConfigError if nobody can answer.

    `seconds` is what they take without a rate. A provider on this machine is not asked for.
    """
    rate = parse_rate(settings.rate)
    seconds = seconds if rate is None else rate.seconds_for(calls)
    click.echo(
        f"{what}{calls:,} calls to {settings.polygon_url}, "
        f"{seconds / 60:,.1f} minutes at {settings.rate} (SCANNER_RATE)",
        err=True,
    )
    if not calls or yes or on_this_machine(settings.polygon_url):
        return
    if not sys.stdin.isatty():
        raise ConfigError("calls to the real market have to be confirmed: --yes (make: YES=1)")
    click.confirm("Go on?", abort=True, err=True)


def on_this_machine(url: str) -> bool:
    """Return whether `url` names a server on this machine."""
    return urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}
