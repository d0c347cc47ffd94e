"""Where bars come from: `bars/load.py` asks a Provider, `bootstrap` chooses which."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from scanner.bars.block import BarSeries


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
