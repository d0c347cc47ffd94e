"""`scan try`: an expression comes in, what it keeps of the last scan's cached bars goes out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.bars.block import BarSeries
    from scanner.results.report import ScanReport
    from scanner.rules.check import Rule
    from scanner.rules.market import Judged


@click.command("try")
@click.argument("expression")
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=0))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with all hits.")
def try_(expression: str, top: int, as_json: bool) -> int:
    """Evaluate a rule on the cached bars of the last scan.

    Prints the hits, the misses by their first false term, and what is unknown by its reason.
    """
    from views.cli.printing import print_json

    report, rule, series, judged = _judged(expression)
    found = _plain(report, rule, series, judged)
    if as_json:
        print_json(found)
    else:
        _print(found, top)
    return 0


def _judged(expression: str) -> tuple[ScanReport, Rule, list[BarSeries], Judged]:
    from scanner.rules.check import compile_rule
    from scanner.rules.market import judge
    from scanner.rules.verdicts import benchmarks_of
    from scheduler.plan import MAX_BLOCK
    from views.cli.cached_bars import cached_bars, calendar_for
    from views.cli.session import open_stores, read_settings

    settings, home = read_settings()
    compile_rule(expression)
    with open_stores(settings, home) as stores:
        report = _last(stores.reports)
        texts = stores.state.texts(report.facts.id)
        rule = compile_rule(expression, texts)
        symbols = [one.row.symbol for one in report.rows]
        wanted = [*symbols, *benchmarks_of([rule.condition])]
        known = cached_bars(stores, report, wanted)
    series = [known[symbol] for symbol in symbols if symbol in known]
    if not series:
        raise ConfigError(
            f"the bars of scan {report.facts.id} are not in the cache any more: scan again"
        )
    blocks = [series[at : at + MAX_BLOCK] for at in range(0, len(series), MAX_BLOCK)]
    calendar = calendar_for(report, [rule.condition])
    return report, rule, series, judge(rule, blocks, texts, known, calendar)


def _last(reports: Any) -> ScanReport:
    for scan_id in reports.newest(20):
        report: ScanReport | None = reports.load(scan_id)
        if report is not None and report.rows:
            return report
    raise ConfigError("there is no scan with rows yet: start one with `scan run`")


def _plain(
    report: ScanReport, rule: Rule, series: Sequence[BarSeries], judged: Judged
) -> dict[str, Any]:
    outcomes = Counter(judged.outcomes)
    hits = [
        {"symbol": one.symbol} | values
        for one, values, outcome in zip(series, judged.values, judged.outcomes, strict=True)
        if outcome == "hit"
    ]
    return {
        "scan": report.facts.id,
        "simulated": report.facts.simulated,
        "as_of": str(report.facts.as_of),
        "symbols": len(series),
        "not_cached": len(report.rows) - len(series),
        "hits": hits,
        "misses": {
            term.text: outcomes[f"miss:{term.text}"]
            for term in rule.terms
            if outcomes[f"miss:{term.text}"]
        },
        "unknown": {
            name.removeprefix("unknown:"): count
            for name, count in sorted(outcomes.items())
            if name.startswith("unknown:")
        },
        "ranked_among": judged.ranked_among,
    }


def _print(found: dict[str, Any], top: int) -> None:
    from rich.table import Table

    from views.cli.printing import console_of
    from views.tables import compact

    mark = "SIMULATED " if found["simulated"] else ""
    gone = f", {found['not_cached']} more are not cached" if found["not_cached"] else ""
    click.echo(f"{mark}{found['symbols']} symbols of scan {found['scan']}, {found['as_of']}{gone}")
    shown = found["hits"][:top]
    click.secho("1 hit" if len(found["hits"]) == 1 else f"{len(found['hits'])} hits", bold=True)
    if shown:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in shown[0]:
            table.add_column(name, justify="left" if name == "symbol" else "right", no_wrap=True)
        for row in shown:
            table.add_row(*(compact(value, name) for name, value in row.items()))
        console_of().print(table)
    if len(shown) < len(found["hits"]):
        click.echo(f"{len(shown)} of {len(found['hits'])} hits; more: --top 100")
    _print_ledger(found)


def _print_ledger(found: dict[str, Any]) -> None:
    for kind, names in (("miss", found["misses"]), ("unknown", found["unknown"])):
        for name, count in names.items():
            click.echo(f"{count:>6} {kind}: {' '.join(name.split())}")
    if any(name.startswith("no_benchmark") for name in found["unknown"]):
        click.echo("a benchmark is fetched by a scan that asks for it: scan run --where ...")
    for name, count in found["ranked_among"].items():
        click.echo(f"{count:>6} rows in {name}")
