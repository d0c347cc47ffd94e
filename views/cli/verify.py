"""`scan verify`: symbols come in, each column by the kernels, by ta and by TA-Lib goes out.

With a symbol: last values side by side and the last steps of the recursions. With a sample:
the worst difference of each column. Exit code 1 where a difference is no listed deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from scanner.errors import ConfigError, ScannerError
from scanner.timeframe import DAILY, TIMEFRAMES, day_date, day_number
from views.cli.run import Day

if TYPE_CHECKING:
    from scanner.bars.block import BarBlock, BarSeries
    from scanner.bars.cache import BarRequest
    from scanner.indicators.reference.compare import Verdict
    from scanner.settings import Settings
    from views.cli.bars_at_hand import BarsAtHand


@click.command()
@click.argument("symbol", required=False)
@click.option("--sample", type=click.IntRange(1, 5_000), help="Symbols drawn from the universe.")
@click.option("--columns", help="Columns, separated by commas, or all; by default a scan's.")
@click.option(
    "--timeframe",
    type=click.Choice(TIMEFRAMES),
    default=DAILY,
    show_default=True,
    help="Bars to compare.",
)
@click.option(
    "--steps", default=3, show_default=True, type=click.IntRange(0, 100), help="Bars of recursions."
)
@click.option("--as-of", type=Day(), help="Last session, the newest by default.")
@click.option(
    "--provider", type=click.Choice(["simulator", "polygon", "files"]), help="Where bars come from."
)
@click.option("--data", type=click.Path(), help="Parquet or CSV file of bars, or a folder.")
@click.option("--yes", is_flag=True, help="Do not ask before a real provider is called.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(symbol: str | None, sample: int | None, **options: Any) -> int:
    """Compute a symbol by the kernels, by ta and by TA-Lib, and show the differences."""
    from views.cli.bars_at_hand import bars_at_hand
    from views.cli.preflight import check_settings
    from views.cli.session import read_settings

    if (symbol is None) == (sample is None):
        raise ConfigError("expected a symbol, as in `scan verify AAPL`, or --sample 100")
    settings, home = read_settings(provider=options["provider"], data=options["data"])
    check_settings(settings)
    names = _names(options["columns"], settings, everything=sample is not None)
    with bars_at_hand(settings, home) as at_hand:
        if symbol is not None:
            return _verify_symbol(at_hand, symbol, names, options)
        return _verify_sample(at_hand, sample or 0, names, options)


def _names(asked: str | None, settings: Settings, *, everything: bool) -> tuple[str, ...]:
    from scanner.bootstrap import named_columns, row_columns

    if asked is None:
        return named_columns("all") if everything else row_columns(settings)
    names = named_columns(asked)
    if not names:
        raise ConfigError("--columns names no column: `scan indicators` lists them")
    return names


def _bars(
    settings: Settings, series: BarSeries, last: int, timeframe: str
) -> tuple[BarBlock, bool]:
    """Return a symbol's bars of a timeframe, and whether the last one may still change.

    `last`: the session up to which bars were asked for.
    """
    from scanner.bars.block import stack
    from scanner.bars.resample import resample
    from scheduler.sessions import calendar_of

    block = stack([series])
    if timeframe == DAILY:
        return block, False
    day = day_date(last)
    made = resample(block, timeframe, day_number(calendar_of(settings, day).after(day)))
    return made.bars, bool(made.unfinished[0])


def _confirm(at_hand: BarsAtHand, calls: int, *, yes: bool) -> None:
    """Ask before a real provider is called more than once, as a scan does."""
    from views.cli.preflight import confirm_calls

    if at_hand.settings.provider == "polygon" and calls > 1:
        confirm_calls(at_hand.settings, calls, yes=yes)


def _verify_symbol(
    at_hand: BarsAtHand, symbol: str, names: Sequence[str], options: dict[str, Any]
) -> int:
    from scanner.indicators.reference.compare import verify as verdicts_of
    from scanner.spec import check_symbol
    from views.cli.printing import print_json
    from views.cli.verdicts import Facts, print_symbol, symbol_as_json

    request = at_hand.request(options["as_of"])
    found, missing = at_hand.load(request, [check_symbol(symbol)])
    if not found:
        raise ConfigError(_why_nothing(at_hand, request, symbol, missing[symbol]))
    block, unfinished = _bars(at_hand.settings, found[0], request.last, options["timeframe"])
    facts = Facts(
        source=at_hand.source, timeframe=options["timeframe"], unfinished=unfinished, block=block
    )
    verdicts = verdicts_of(block, names)
    if options["as_json"]:
        print_json(symbol_as_json(facts, verdicts))
    else:
        print_symbol(facts, verdicts, options["steps"])
    return _code(verdicts)


def _why_nothing(at_hand: BarsAtHand, request: BarRequest, symbol: str, error: ScannerError) -> str:
    """Return why a symbol has no bars, and what may help."""
    text = str(error) if symbol in str(error) else f"{symbol}: {error}"
    text += f" (asked for {day_date(request.first)} to {day_date(request.last)})"
    if at_hand.settings.provider == "simulator":
        text += "; simulated symbols are made up: `scan verify --sample 5` shows some"
    return text


def _verify_sample(
    at_hand: BarsAtHand, size: int, names: Sequence[str], options: dict[str, Any]
) -> int:
    import random

    from rich.console import Console
    from rich.progress import track

    from scanner.indicators.reference.compare import verify as verdicts_of
    from views.cli.printing import print_json
    from views.cli.verdicts import Worst, print_worst, worst_as_json

    if at_hand.settings.provider == "polygon":
        click.echo(f"listing the symbols of {at_hand.settings.polygon_url} (some calls)", err=True)
    universe = sorted(at_hand.symbols())
    if size > len(universe):
        click.echo(f"the universe has {len(universe)} symbols: all of them are taken", err=True)
    symbols = random.Random(size).sample(universe, min(size, len(universe)))  # noqa: S311 - a draw
    request = at_hand.request(options["as_of"])
    _confirm(at_hand, at_hand.calls(request, symbols), yes=options["yes"])
    found, missing = at_hand.load(request, symbols)
    worst = Worst(
        source=at_hand.source,
        timeframe=options["timeframe"],
        asked=len(symbols),
        missing=len(missing),
    )
    console = Console(stderr=True)
    shown = track(
        found, "comparing", console=console, transient=True, disable=not console.is_terminal
    )
    for one in shown:
        block, _ = _bars(at_hand.settings, one, request.last, options["timeframe"])
        worst.add(block, verdicts_of(block, names))
    if options["as_json"]:
        print_json(worst_as_json(worst))
    else:
        print_worst(worst)
    return 0 if worst.rows and not worst.mistakes else 1


def _code(verdicts: Sequence[Verdict]) -> int:
    return 1 if any(one.state == "differs" for one in verdicts) else 0
