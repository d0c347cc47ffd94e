"""Where bars come from: `bars/load.py` asks a Provider, `bootstrap` chooses which."""

from __future__ import annotations

import datetime as dt
from typing import Protocol, runtime_checkable

from scanner.bars.adjust import Split
from scanner.bars.block import BarSeries
from scanner.bars.market_day import MarketDay
from scanner.bars.universe import Listed


class Provider(Protocol):
    """A source of daily bars."""

    def fetch(self, symbol: str, first: dt.date, last: dt.date) -> BarSeries:
        """Return the bars of `symbol` with first <= session <= last, oldest first.

        An empty series means that the provider answered and has no bars there.
        UnknownSymbol: it says that it does not know the symbol. BadBars: a bar breaks a rule.
        NotEntitled, KeyRefused: it refuses. RateLimited, ProviderUnavailable: try later.
        """
        ...

    def symbols(self, universe: str) -> list[str]:
        """Return the symbols of the named universe; ConfigError if it has no such name."""
        ...

    def last_session(self) -> dt.date | None:
        """Return the newest session that the provider holds or its clock has reached.

        None: the exchange's calendar has to decide.
        """
        ...


@runtime_checkable
class MarketProvider(Provider, Protocol):
    """A source that tells of the whole market at once; the errors are those of `fetch`."""

    def day(self, session: dt.date) -> MarketDay:
        """Return the bars of all symbols in `session`, unadjusted; none if there was no trading."""
        ...

    def splits(self, first: dt.date, last: dt.date) -> list[Split]:
        """Return the splits with first <= execution date <= last."""
        ...

    def snapshot(self, session: dt.date) -> MarketDay:
        """Return the forming bars of `session`, which is open now."""
        ...

    def sample(self, symbol: str, first: dt.date, last: dt.date) -> BarSeries:
        """Return what `fetch` does, if nothing else wants to be asked for; else RateLimited."""
        ...

    def listing(self) -> list[Listed]:
        """Return what there is to trade now, sorted by symbol."""
        ...

    def now(self) -> dt.datetime | None:
        """Return the provider's time if it has a clock of its own; None if it is in real time."""
        ...
