"""`scan show` and `scan why`: the id of a scan comes in, its rows or one symbol's story go out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from scanner.errors import ConfigError
from scanner.plain import plain
from scanner.results.report import Absence, RankedRow, ScanReport

if TYPE_CHECKING:
    from scanner.bars.block import BarSeries
    from views.cli.session import Stores

#: Characters of a text that stands for a symbol and is none, which are shown.
_MOST_TEXT: Final = 60


@contextmanager
def the_report(scan_id: str | None) -> Iterator[ScanReport]:
    """Yield the report of a scan, of the newest without an id; ConfigError if there is none."""
    from views.cli.session import open_stores, read_settings

    settings, home = read_settings()
    with open_stores(settings, home) as stores:
        found = _loaded(stores, scan_id)
    yield found


def _loaded(stores: Stores, scan_id: str | None) -> ScanReport:
    ids = [scan_id] if scan_id else stores.reports.newest(20)
    found = next((r for one in ids if (r := stores.reports.load(one)) is not None), None)
    if found is None:
        missing = f"no report of scan {scan_id}" if scan_id else "there is no report yet"
        raise ConfigError(f"{missing}: start a scan with `scan run`, list with `scan status`")
    return found


@click.command()
@click.argument("scan_id", required=False)
@click.option("--screen", default="", help="Only the hits of a screen, in its order.")
@click.option("--sort", default="", help="Column, rank by default; -column for downwards.")
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=0))
@click.option("--columns", help="Columns, separated by commas.")
@click.option("--json", "as_json", is_flag=True, help="Print the scan and these rows as JSON.")
def show(
    scan_id: str | None, screen: str, sort: str, top: int, columns: str | None, as_json: bool
) -> None:
    """Show the ranked table of a scan, the newest by default."""
    from views.cli.printing import print_json, print_report
    from views.tables import DEFAULT_SHOWN, summary_of, table_of

    with the_report(scan_id) as report:
        own = report.screens[screen].columns if screen in report.screens else ()
        names = ["close", *own] if own else list(DEFAULT_SHOWN)
        if columns:
            names = [name.strip() for name in columns.split(",")]
        if as_json and columns is None:
            names = ["session", "bars", "warming", "flags", "contributions", *report.facts.columns]
        table = table_of(report, columns=names, sort=sort, top=top, screen=screen)
        if as_json:
            rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            print_json(summary_of(report) | {"rows": rows})
        else:
            print_report(report, table, fit=columns is None, screens=not (columns or screen))


@click.command()
@click.argument("symbol")
@click.option("--scan", "scan_id", help="Id of a scan, the newest by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def why(symbol: str, scan_id: str | None, as_json: bool) -> int:
    """Explain where a symbol stands in a scan, or why it has no row."""
    from views.cli.printing import print_json

    report, bars = _with_bars(scan_id, symbol)
    found = report.find(symbol)
    if found is None:
        raise ConfigError(
            f"{symbol[:_MOST_TEXT]} is not in scan {report.facts.id} of universe "
            f"{report.facts.universe} (symbols are case-sensitive)"
        )
    story = _story(report, found, bars)
    if as_json:
        print_json(story)
    else:
        _print_story(story)
    return 0


def _with_bars(scan_id: str | None, symbol: str) -> tuple[ScanReport, dict[str, BarSeries]]:
    """Return a report, and the bars of a symbol and of benchmarks that are still in the cache."""
    from views.cli.cached_bars import cached_bars
    from views.cli.session import open_stores, read_settings

    settings, home = read_settings()
    with open_stores(settings, home) as stores:
        report = _loaded(stores, scan_id)
        if not isinstance(report.find(symbol), RankedRow):
            return report, {}
        return report, cached_bars(stores, report, [symbol, *report.facts.benchmarks])


def _story(
    report: ScanReport, found: RankedRow | Absence, bars: dict[str, BarSeries]
) -> dict[str, Any]:
    from views.tables import values_of

    base = {"scan": report.facts.id, "simulated": report.facts.simulated}
    if isinstance(found, Absence):
        return base | {"symbol": found.symbol, "state": found.state, "reason": found.reason}
    return base | {
        "symbol": found.row.symbol,
        "state": "scored",
        "rank": found.rank,
        "of": len(report.rows),
        "score": found.score,
        "contributions": found.contributions,
        "weights": report.facts.weights,
        "screens": found.row.outcomes,
        "terms": _terms(report, found, bars),
        "values": values_of(report, found),
        "notes": _notes(report, found),
    }


def _terms(
    report: ScanReport, found: RankedRow, bars: dict[str, BarSeries]
) -> dict[str, list[dict[str, Any]]]:
    """Return for each screen its terms, whether each is true, false or unknown, and its numbers."""
    from views.cli.term_values import term_values, term_warming

    values = term_values(report, found, bars)
    warm = term_warming(found, values)
    said = {"t": "true", "f": "false", "u": "unknown"}
    return {
        name: [
            {
                "term": term,
                "is": said[letter],
                "numbers": values[term],
                "warming": list(warm[term]),
            }
            for term, letter in zip(report.screens[name].terms, letters, strict=True)
        ]
        for name, letters in found.row.terms.items()
    }


def _notes(report: ScanReport, found: RankedRow) -> dict[str, str]:
    """Return column -> why its value is missing, or that more history would change it."""
    from scanner.indicators.registry import column

    bars, notes = found.row.bars, {}
    values = dict(zip(report.facts.columns, found.row.values, strict=True))
    for name in report.facts.indicators:
        one = column(name)
        match one.standing(bars):
            case "insufficient_history":
                notes[name] = f"insufficient_history: {bars} of {one.bars} bars"
            case "warming" if values[name] is not None:
                notes[name] = f"warming: {bars} of {one.memory.bars} bars"
            case _ if values[name] is None:
                notes[name] = "unknown: the formula has no answer for these bars"
    return notes


def _print_story(story: dict[str, Any]) -> None:
    from scanner.bars.flags import MEANINGS
    from views.tables import compact

    mark = "SIMULATED " if story["simulated"] else ""
    if story["state"] != "scored":
        told = f"{story['symbol'][:_MOST_TEXT]}: {story['state']}: {story['reason']}"
        click.echo(f"{mark}{plain(told)}")
        return
    click.echo(
        f"{mark}{story['symbol']}: rank {story['rank']} of {story['of']}, "
        f"score {compact(story['score'])}"
    )
    for name, count in story["values"]["flags"].items():
        click.echo(f"  flag {name}: {count}, {MEANINGS.get(name, name)}")
    for name, points in story["contributions"].items():
        share = story["weights"][name]
        said = "missing, its share is dropped" if points is None else f"{points:.2f} points"
        click.echo(f"  {name:<18} share {share:g}: {said}")
    for name, outcome in story["screens"].items():
        click.echo(f"  screen {name}: {' '.join(outcome.split())}")
        for term in story["terms"].get(name, ()):
            numbers = ", ".join(f"{x} = {compact(n)}" for x, n in term["numbers"].items())
            numbers += f" (warming: {', '.join(term['warming'])})" if term["warming"] else ""
            told = f"    {term['is']:<8} {' '.join(term['term'].split())}"
            click.echo(f"{told:<60}  {numbers}".rstrip())
    for name, value in story["values"].items():
        if name not in {"rank", "symbol", "score", "contributions", "warming", "flags"}:
            note = story["notes"].get(name, "")
            click.echo(f"  {name:<24} {compact(value, name):<14} {note}".rstrip())
