"""One session, or the splits, for the store: a task's arguments come in, what it took goes out.

A session that several scans want at once is fetched by one of them; the others wait for it.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from scanner import claims, keys
from scanner.bars.cache import BarRequest
from scanner.bars.overlap import first_difference
from scanner.bars.provider import MarketProvider
from scanner.bootstrap import Runtime
from scanner.errors import (
    ConfigError,
    DataError,
    ProviderPaused,
    ProviderUnavailable,
    RateLimited,
    TransientError,
)
from scanner.redis_errors import redis_errors
from scanner.results.redis_fetch import UNFETCHED
from scanner.spec import Fetch
from scanner.timeframe import DAILY, day_date, day_number
from scanner.turns import TURNS
from worker.doubt import believed_day, check_splits

log = structlog.get_logger(__name__)

#: Seconds after which another task may fetch what one has claimed, and between two looks.
_CLAIM_SECONDS: Final = 60
_LOOK_SECONDS: Final = 0.05

#: Seconds that splits are kept when nobody scans.
_SPLITS_SECONDS: Final = 30 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A session that a scan asks for; moments are of the market's clock, since 1970-01-01."""

    session: int
    asked_at: float
    #: A copy that was asked for since then is as good.
    good_from: float
    #: Seconds to keep it.
    expiry: int
    #: It is so old that an answer with few bars or none is believed, if it comes twice.
    may_be_empty: bool


def keep_session(runtime: Runtime, wanted: Wanted) -> None:
    """Fetch a session and keep it, unless a copy that is as good is there."""
    session = wanted.session

    def is_kept() -> bool:
        known = runtime.store.facts([session]).get(session)
        return known is not None and known.asked_at >= wanted.good_from

    def fetch() -> None:
        day = believed_day(
            market(runtime), runtime.store, session, may_be_empty=wanted.may_be_empty
        )
        runtime.store.write(day, asked_at=wanted.asked_at, expiry=wanted.expiry)

    with TURNS.stretch():
        _once(runtime, day_date(session).isoformat(), is_kept, fetch)


def keep_splits(runtime: Runtime, first: dt.date, last: dt.date, asked_at: float) -> None:
    """List the splits from `first` to `last` and keep them.

    Cached bars of symbols whose splits are others now are dropped.
    """

    def is_kept() -> bool:
        known = runtime.store.split_facts()
        return known is not None and known.asked_at >= asked_at and known.first <= day_number(first)

    def fetch() -> None:
        store = runtime.store
        new = market(runtime).splits(first, last)
        check_splits(new, store.splits(None), day_number(first))
        changed = store.keep_splits(
            new, day_number(first), asked_at=asked_at, expiry=_SPLITS_SECONDS
        )
        runtime.drop_bars(DAILY, changed)

    _once(runtime, "splits", is_kept, fetch)


def check_overlap(runtime: Runtime, request: BarRequest, symbols: Sequence[str]) -> int:
    """Compare series that were put together with the provider's own; returns how many were.

    What differs is flagged in the rows of the next scans and never mended. When the budget is
    short the rest is left to the next scan of the day.
    """
    provider, checked = market(runtime), 0
    history = runtime.store.history(request.sessions, symbols, request.until)
    for symbol, series in history.series.items():
        try:
            other = provider.sample(symbol, day_date(request.first), day_date(request.last))
        except (DataError, TransientError) as error:
            log.info("not compared", symbol=symbol, cause=str(error))
            if isinstance(error, RateLimited):
                break
            continue
        apart = first_difference(series, other)
        if apart is not None:
            log.warning("suspect split", symbol=symbol, session=day_date(apart).isoformat())
        runtime.store.suspect(symbol, apart, _SUSPECT_SECONDS)
        runtime.store.note_compared(day_date(request.until).isoformat(), symbol)
        checked += 1
    return checked


#: Seconds that a symbol is suspect after it was contradicted last.
_SUSPECT_SECONDS: Final = 30 * 86_400


def market(runtime: Runtime) -> MarketProvider:
    """Return the provider of whole sessions; ConfigError if there is none."""
    if not isinstance(runtime.provider, MarketProvider):
        raise ConfigError(
            f"the provider {runtime.settings.provider} has no sessions of the whole market: "
            "set SCANNER_FETCH=symbols"
        )
    return runtime.provider


def _once(
    runtime: Runtime, what: str, is_kept: Callable[[], bool], fetch: Callable[[], None]
) -> None:
    """Call `fetch` unless another task does; ProviderUnavailable if that one does not end."""
    key = keys.claim(runtime.source, what)
    ends = time.monotonic() + _CLAIM_SECONDS
    while not is_kept():
        with redis_errors("claim a session"):
            claimed = claims.claim(runtime.redis, key, _CLAIM_SECONDS)
        if claimed:
            try:
                if not is_kept():
                    fetch()
            finally:
                release(runtime, what)
            return
        if time.monotonic() > ends:
            raise ProviderUnavailable(f"{what}: expected another task to fetch it")
        time.sleep(_LOOK_SECONDS)


def release(runtime: Runtime, what: str, process: str = "") -> None:
    """Give up what this thread has claimed, or a process: a session's date, or `splits`."""
    with redis_errors("release a session"):
        claims.release(runtime.redis, keys.claim(runtime.source, what), process)


def noted(runtime: Runtime, fetch: Fetch, node: str, work: Callable[[Runtime], None]) -> None:
    """Do `work` for a planned scan, and count it or note why it failed; ConfigError is raised.

    `node`: the name of this process in the fleet.
    """
    if not runtime.state.wants_sessions(fetch.scan_id):
        return
    runtime.state.begin_fetch(fetch, node)
    try:
        _noted(runtime, fetch.scan_id, fetch.what, work)
    finally:
        runtime.state.end_fetch(fetch, node)


def _noted(runtime: Runtime, scan_id: str, what: str, work: Callable[[Runtime], None]) -> None:
    try:
        work(runtime)
    except (DataError, TransientError) as error:
        log.warning("not fetched", scan=scan_id, cause=str(error))
        if isinstance(error, DataError):
            runtime.state.count_refused(scan_id)
        facts = lacking(what, str(error), refused=isinstance(error, DataError))
        if isinstance(error, RateLimited | ProviderPaused):
            facts["fetch_waits"] = 1
        runtime.state.note(scan_id, facts)
    else:
        runtime.state.count_fetched(scan_id, what)


def lacking(what: str, cause: str, *, refused: bool) -> dict[str, object]:
    """Return the fields that say why a planned scan lacks something; `refused`: for good."""
    names = ["fetch_error", f"{UNFETCHED}{what}", *([f"refused:{what}"] if refused else [])]
    return dict.fromkeys(names, cause[:300])
