"""The bars of a batch: the cache first, then the provider; what was fetched goes to the cache.

An error of one symbol is that symbol's result; only a refused key stops the batch.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarSeries
from scanner.bars.cache import BarCache, BarRequest
from scanner.bars.provider import Provider
from scanner.errors import DataError, ProviderPaused, RateLimited, TransientError
from scanner.timeframe import day_date

#: Seconds after which a batch fetches no more; its message must not be delivered again meanwhile.
TASK_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedBars:
    """The bars of a batch and what kept others away."""

    #: Symbol -> its bars; empty where the provider has none.
    series: dict[str, BarSeries]
    #: Symbol -> why there are no bars.
    errors: dict[str, DataError | TransientError]
    #: `hit`, `absent`, `broken`, `short` and `fetched` -> symbols.
    counts: Counter[str]


def load_bars(
    request: BarRequest, symbols: Sequence[str], cache: BarCache, provider: Provider
) -> LoadedBars:
    """Return the bars of `symbols`; KeyRefused and other ConfigErrors stop it.

    After the budget has once refused to let a request through in time, the rest of the batch is
    given back at once with the same error; when the batch has taken TASK_SECONDS, as RateLimited.
    """
    found = cache.read(request, symbols)
    counts = Counter(found.misses)
    counts["hit"] = len(found.series)
    errors: dict[str, DataError | TransientError] = {}
    fetched: dict[str, BarSeries] = {}
    limited: RateLimited | ProviderPaused | None = None
    ends = time.monotonic() + TASK_SECONDS
    for symbol in symbols:
        if symbol in found.series:
            continue
        if limited is None and fetched and time.monotonic() > ends:
            limited = RateLimited(f"the batch took over {TASK_SECONDS:.0f} s", wait=0.0)
        if limited is not None:
            errors[symbol] = limited
            continue
        try:
            fetched[symbol] = provider.fetch(
                symbol, day_date(request.first), day_date(request.last)
            )
        except (RateLimited, ProviderPaused) as error:
            errors[symbol] = limited = error
        except (DataError, TransientError) as error:
            errors[symbol] = error
    if fetched:
        counts["fetched"] = len(fetched)
        cache.write(request, fetched.values())
    return LoadedBars(series=found.series | fetched, errors=errors, counts=counts)
