"""Bars for commands that look at a few symbols: settings come in, where bars come from goes out.

Bars of files are read here; those of a provider come through the cache of the stack that is up,
or of a server and a simulator that live as long as the command.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scanner import bootstrap
from scanner.bars.block import BarSeries
from scanner.bars.cache import BarCache, BarRequest, MemoryBarCache
from scanner.bars.files import FilesProvider
from scanner.bars.load import load_bars
from scanner.bars.provider import Provider
from scanner.errors import ConfigError, ScannerError
from scanner.settings import Settings, load_settings
from scanner.timeframe import DAILY, day_number
from views.cli.home import Home
from views.cli.processes import Supervisor
from views.cli.session import START_SECONDS, check_both
from views.cli.stack import Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsAtHand:
    """Where a command's bars come from."""

    settings: Settings
    source: str
    provider: Provider
    cache: BarCache

    def symbols(self) -> list[str]:
        """Return the symbols of the settings' universe."""
        from scheduler.universe import read_symbols

        universe = self.settings.universe
        if "/" in universe:
            return read_symbols(Path(universe))
        return self.provider.symbols(universe)

    def request(self, as_of: dt.date | None) -> BarRequest:
        """Return what is asked for: the settings' lookback, up to the newest session."""
        from scheduler.sessions import newest_session

        newest = newest_session(self.settings, self.provider)
        last = day_number(as_of or newest)
        return BarRequest(
            source=self.source,
            timeframe=DAILY,
            first=last - bootstrap.lookback_days(self.settings),
            last=last,
        )

    def calls(self, request: BarRequest, symbols: Sequence[str]) -> int:
        """Return how many calls to the provider the bars of `symbols` take."""
        if self.settings.provider == "files":
            return 0
        return len(set(symbols) - self.cache.covered(request, symbols))

    def load(
        self, request: BarRequest, symbols: Sequence[str]
    ) -> tuple[list[BarSeries], dict[str, ScannerError]]:
        """Return the series of `symbols` that have bars, and why the others have none."""
        loaded = load_bars(request, symbols, self.cache, self.provider)
        empty = ConfigError("the provider has no bars of it")
        series = [one for one in loaded.series.values() if len(one)]
        missing = {symbol: empty for symbol, one in loaded.series.items() if not len(one)}
        return series, {**loaded.errors, **missing}


@contextmanager
def bars_at_hand(settings: Settings, home: Home) -> Iterator[BarsAtHand]:
    """Yield where bars come from; what was started for it is stopped."""
    if settings.provider == "files":
        yield BarsAtHand(
            settings=settings,
            source=bootstrap.source_name(settings),
            provider=FilesProvider(Path(settings.data or "").expanduser()),
            cache=MemoryBarCache(),
        )
        return
    if home.stack() is not None:
        yield _of_runtime(settings)
        return
    with home.locked() as lock:
        supervisor = Supervisor(folder=home.folder, lock=lock)
        try:
            stack = Stack(settings=settings, home=home, scheduled=False)
            for command in stack.servers():
                supervisor.start(command)
            supervisor.wait_ready(START_SECONDS, lambda _: None)
            os.environ.update(stack.variables)
            yield _of_runtime(load_settings(polygon_key=settings.polygon_key))
        finally:
            supervisor.stop()


def _of_runtime(settings: Settings) -> BarsAtHand:
    runtime = bootstrap.runtime(settings)
    check_both(settings)
    return BarsAtHand(
        settings=runtime.settings,
        source=runtime.source,
        provider=runtime.provider,
        cache=runtime.tools.cache,
    )
