"""The bars of a batch: the cache first, then what the request says; both end in the cache.

1. what the cache has is taken
2. the rest is put together from the sessions of the whole market  (store.py), or
3. fetched symbol by symbol, each by one caller at a time          (provider.py)

An error of one symbol is that symbol's result; only a refused key stops the batch.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from scanner.bars.block import BarSeries
from scanner.bars.cache import BarCache, BarRequest
from scanner.bars.provider import Provider
from scanner.bars.store import MarketStore
from scanner.errors import (
    DataError,
    ProviderPaused,
    ProviderUnavailable,
    RateLimited,
    TransientError,
)
from scanner.timeframe import day_date

#: Seconds after which a batch fetches no more; its message must not be delivered again meanwhile.
TASK_SECONDS: Final = 90.0

#: Seconds that a caller waits for the bars that another one fetches, and between two looks: longer
#: than the claim of one that has died.
_WAIT_SECONDS: Final = 70.0
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedBars:
    """The bars of a batch and what kept others away."""

    #: Symbol -> its bars; empty where the provider has none.
    series: dict[str, BarSeries] = field(default_factory=dict)
    #: Symbol -> why there are no bars.
    errors: dict[str, DataError | TransientError] = field(default_factory=dict)
    #: `hit`, `local`, `absent`, `broken`, `short`, `fetched`, `shared`, `assembled` -> symbols.
    counts: Counter[str] = field(default_factory=Counter)


def load_bars(
    request: BarRequest,
    symbols: Sequence[str],
    cache: BarCache,
    provider: Provider,
    store: MarketStore | None = None,
) -> LoadedBars:
    """Return the bars of `symbols`; KeyRefused and other ConfigErrors stop it.

    `store`: where the sessions of a grouped request are kept. After the budget has once refused
    to let a request through in time, the rest of the batch is given back at once with the same
    error; when the batch has taken TASK_SECONDS, as RateLimited.
    """
    found = cache.read(request, symbols)
    loaded = LoadedBars(series=dict(found.series), counts=Counter(found.misses))
    loaded.counts["hit"] = len(found.series) - found.local
    if found.local:
        loaded.counts["local"] = found.local
    wanted = [symbol for symbol in symbols if symbol not in found.series]
    if wanted and request.grouped and store is not None:
        _assemble(request, wanted, cache, store, loaded)
    elif wanted:
        _fetch(request, wanted, cache, provider, loaded)
    if request.live and store is not None:
        _lay_over(request, store, loaded)
    return loaded


def _lay_over(request: BarRequest, store: MarketStore, loaded: LoadedBars) -> None:
    """Put the forming bar of the live session behind each series that has one."""
    symbols = list(loaded.series)
    try:
        forming = store.history([request.live], symbols, request.until)
    except TransientError as error:
        loaded.series.clear()
        loaded.errors.update(dict.fromkeys(symbols, error))
        return
    loaded.errors.update(forming.errors)
    for symbol in forming.errors:
        del loaded.series[symbol]
    for symbol, bar in forming.series.items():
        if len(bar):
            loaded.series[symbol] = loaded.series[symbol].followed_by(bar)


def _assemble(
    request: BarRequest,
    symbols: Sequence[str],
    cache: BarCache,
    store: MarketStore,
    loaded: LoadedBars,
) -> None:
    # What is kept meanwhile is younger than what is put together here.
    began = time.time()
    try:
        history = store.history(request.sessions, symbols, request.until)
    except TransientError as error:
        loaded.errors.update(dict.fromkeys(symbols, error))
        return
    cache.write(request, history.series.values(), began)
    loaded.counts["assembled"] = len(history.series)
    loaded.series.update(history.series)
    loaded.errors.update(history.errors)


def _fetch(
    request: BarRequest,
    symbols: Sequence[str],
    cache: BarCache,
    provider: Provider,
    loaded: LoadedBars,
) -> None:
    limited: RateLimited | ProviderPaused | None = None
    ends = time.monotonic() + TASK_SECONDS
    for number, symbol in enumerate(symbols):
        if limited is None and number and time.monotonic() > ends:
            limited = RateLimited(f"the batch took over {TASK_SECONDS:.0f} s", wait=0.0)
        if limited is not None:
            loaded.errors[symbol] = limited
            continue
        try:
            _fetch_one(request, symbol, cache, provider, loaded)
        except (RateLimited, ProviderPaused) as error:
            loaded.errors[symbol] = limited = error
        except (DataError, TransientError) as error:
            loaded.errors[symbol] = error


def _fetch_one(
    request: BarRequest, symbol: str, cache: BarCache, provider: Provider, loaded: LoadedBars
) -> None:
    """Fetch the bars of one symbol, or wait for the caller that does."""
    ends = time.monotonic() + _WAIT_SECONDS
    while not cache.claim(request, symbol):
        time.sleep(_LOOK_SECONDS)
        found = cache.read(request, [symbol]).series.get(symbol)
        if found is not None:
            loaded.series[symbol] = found
            loaded.counts["shared"] += 1
            return
        if time.monotonic() > ends:
            raise ProviderUnavailable(
                f"{symbol}: expected the bars that another task fetches within "
                f"{_WAIT_SECONDS:.0f} s"
            )
    try:
        series = provider.fetch(symbol, day_date(request.first), day_date(request.last))
        cache.write(request, [series])
    finally:
        cache.release(request, symbol)
    loaded.series[symbol] = series
    loaded.counts["fetched"] += 1
