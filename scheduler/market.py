"""Where a scan's bars come from: symbols and a day come in, what has to be asked for goes out.

By session of the whole market, or by symbol: `auto` takes what costs fewer requests, and stays
with the sessions once they are kept, because tomorrow costs one more and not a whole history.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from scanner.bars.cache import BarRequest
from scanner.bars.overlap import sample_of
from scanner.bars.provider import MarketProvider
from scanner.bars.split_store import SplitFacts
from scanner.bars.store import DayFacts, MarketStore
from scanner.bootstrap import Runtime
from scanner.timeframe import DAILY, EXCHANGE_ZONE, day_date, day_number
from scheduler.freshness import Freshness, freshness
from scheduler.sessions import Calendar, calendar_of

#: Sessions that may be asked for anew where others are kept, however few the symbols are.
_FEW: Final = 5

#: Seconds after which all splits are listed anew.
_SPLITS_SECONDS: Final = 7 * 86_400.0
#: Days before the last listing of splits in which others may have been added.
_SPLITS_OVERLAP: Final = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsNeed:
    """What has to be asked for before the batches of a scan can run."""

    request: BarRequest
    #: By symbol: those that are not in the cache.
    to_fetch: Collection[str] = ()
    #: By session: those that are asked for; the second kind has a copy that does as well.
    missing: tuple[dt.date, ...] = ()
    due: tuple[dt.date, ...] = ()
    #: Whether splits have not been listed so far back: no series can be put together without them.
    splits_missing: bool = False
    #: First execution date of the splits to ask for; None: those that are kept are of today.
    splits_from: dt.date | None = None
    #: Days that the calendar calls sessions and of which the provider has no bars.
    empty: tuple[dt.date, ...] = ()

    @property
    def sessions(self) -> tuple[dt.date, ...]:
        """Sessions to ask for, the newest first: they count most if not all can be had."""
        return tuple(sorted((*self.missing, *self.due), reverse=True))

    @property
    def requests(self) -> int:
        """Requests before the batches can run."""
        return len(self.missing) + len(self.due) + (self.splits_from is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The sessions of a scan, and the time at the provider."""

    now: dt.datetime
    first: dt.date
    last: dt.date
    calendar: Calendar

    @property
    def days(self) -> Sequence[dt.date]:
        """The exchange's sessions from first to last."""
        return self.calendar.between(self.first, self.last)

    @property
    def today(self) -> dt.date:
        """The date at the exchange."""
        return self.now.astimezone(EXCHANGE_ZONE).date()


def window_of(runtime: Runtime, now: dt.datetime, last: dt.date, lookback_days: int) -> Window:
    """Return the sessions up to `last`."""
    first = last - dt.timedelta(days=lookback_days)
    return Window(
        now=now, first=first, last=last, calendar=calendar_of(runtime.settings, first, last)
    )


def bars_need(
    runtime: Runtime, window: Window, symbols: Sequence[str], *, how: str = ""
) -> BarsNeed:
    """Return what a scan of `symbols` has to ask for; `how`: what it has decided before."""
    request = BarRequest(
        source=runtime.source,
        timeframe=DAILY,
        first=day_number(window.first),
        last=day_number(window.last),
        sessions=tuple(map(day_number, window.days)),
    )
    if runtime.settings.provider == "files":
        return BarsNeed(request=request)
    how = how or runtime.settings.fetch
    by_symbol = BarsNeed(request=request)
    if how == "symbols" or not isinstance(runtime.provider, MarketProvider):
        return replace(by_symbol, to_fetch=_not_cached(runtime, request, symbols))
    store = runtime.store
    known = store.facts(request.sessions)
    fresh = freshness(window.days, known, window.calendar, window.now)
    if how == "auto" and not (known and len(fresh.wanted) <= _FEW):
        to_fetch = _not_cached(runtime, request, symbols)
        if len(to_fetch) <= len(fresh.wanted):
            return replace(by_symbol, to_fetch=to_fetch)
    return _grouped(request, window, known, fresh, store)


def _not_cached(runtime: Runtime, request: BarRequest, symbols: Sequence[str]) -> set[str]:
    return set(symbols) - runtime.tools.cache.covered(request, symbols)


def _grouped(
    request: BarRequest,
    window: Window,
    known: Mapping[int, DayFacts],
    fresh: Freshness,
    store: MarketStore,
) -> BarsNeed:
    facts = store.split_facts()
    empty = {day for day, one in known.items() if not one.symbols} - set(
        map(day_number, fresh.missing)
    )
    traded = tuple(day for day in request.sessions if day not in empty)
    return BarsNeed(
        request=replace(
            request,
            # A last session that was none leaves no symbol stale.
            last=traded[-1] if traded else request.last,
            grouped=True,
            sessions=traded,
            since=max((one.written_at for one in known.values()), default=0.0),
            until=day_number(window.today),
        ),
        missing=fresh.missing,
        due=fresh.due,
        splits_missing=facts is None or facts.first > request.first,
        splits_from=_splits_from(facts, window),
        empty=tuple(map(day_date, sorted(empty))),
    )


def _splits_from(facts: SplitFacts | None, window: Window) -> dt.date | None:
    """Return from which day on splits have to be listed; None: those that are kept are of today."""
    if facts is None or facts.first > day_number(window.first):
        return window.first
    if window.now.timestamp() - facts.full_at >= _SPLITS_SECONDS:
        return day_date(facts.first)
    asked = dt.datetime.fromtimestamp(facts.asked_at, EXCHANGE_ZONE).date()
    closed = window.calendar.close_of(window.calendar.last_closed(window.now)).timestamp()
    if asked == window.today and facts.asked_at >= closed:
        return None
    return min(asked, window.today) - _SPLITS_OVERLAP


def traded_in(store: MarketStore, request: BarRequest) -> list[str]:
    """Return the symbols that the newest session of a grouped request really holds."""
    return store.symbols(request.sessions[-1]) if request.sessions else []


def sample_left(runtime: Runtime, request: BarRequest) -> int:
    """Return how many symbols may be compared by this scan."""
    if not request.grouped or request.live:
        return 0
    done = runtime.store.compared(day_date(request.until).isoformat())
    return max(0, runtime.settings.sample - len(done))


def todays_sample(
    runtime: Runtime, request: BarRequest, symbols: Sequence[str], left: int
) -> list[str]:
    """Return `left` symbols to compare with fetches of their own; none more than once a day.

    Those that split lately come first, and half of the day's number may be of those that were
    contradicted; what a scan could not compare is left to the next one of the day.
    """
    if not left:
        return []
    store = runtime.store
    day = day_date(request.until).isoformat()
    done = store.compared(day)
    lately = [
        symbol
        for symbol, splits in store.splits(None).items()
        if request.until - _LATELY <= splits[-1].session <= request.until
    ]
    suspects = [symbol for symbol in store.all_suspects() if symbol not in done]
    half = max(1, left // 2)
    first = [*suspects[:half], *(symbol for symbol in lately if symbol not in done)]
    others = [symbol for symbol in symbols if symbol not in done]
    return sample_of(others, first, day, left)


#: Days in which a split is late news.
_LATELY: Final = 7


def expiry_of(day: dt.date, window: Window, provisional_seconds: int) -> int:
    """Return how many seconds a copy of the session `day` is kept.

    Final ones as long as the lookback has them, those of an open session as long as other bars.
    """
    if window.now < window.calendar.close_of(day):
        return provisional_seconds
    return ((day - window.first).days + _SPARE_DAYS) * 86_400


#: Days that a session is kept beyond the lookback, so that weekends do not cut it.
_SPARE_DAYS: Final = 5
