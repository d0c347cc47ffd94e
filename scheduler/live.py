"""A scan of the session that is open: a snapshot of the whole market is laid over its history.

The forming bars are kept as a copy of their session that is not final: after the close it is asked
for again, as any other.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, cast

from scanner import keys
from scanner.bars.cache import BarRequest
from scanner.bars.market_day import MarketDay
from scanner.bars.provider import MarketProvider
from scanner.bootstrap import Runtime
from scanner.errors import ConfigError, ProviderUnavailable
from scanner.redis_errors import redis_errors
from scanner.timeframe import day_date, day_number
from scheduler.market import Window
from scheduler.sessions import market_now

#: Seconds that a snapshot is kept: a scan is over by then.
_SNAPSHOT_SECONDS: Final = 900


def live_request(runtime: Runtime, window: Window, request: BarRequest) -> BarRequest:
    """Return the request with the session that is open now; ConfigError if none is."""
    if not isinstance(runtime.provider, MarketProvider):
        raise ConfigError(
            f"a live scan needs a provider with snapshots, {runtime.settings.provider} has none"
        )
    session = window.calendar.open_at(window.now)
    if session is None or session <= window.last:
        raise ConfigError(
            f"no session is open at {window.now:%Y-%m-%d %H:%M %Z}: the last one that has closed "
            f"is {window.last}; scan it without --live"
        )
    return dataclasses.replace(request, live=day_number(session), until=day_number(window.today))


def ask_early(runtime: Runtime) -> Future[MarketDay] | None:
    """Ask for the forming bars while a scan is planned, if another live scan was just before it.

    The first of a series asks when it knows that a session is open.
    """
    with redis_errors("look for a live scan"):
        found = cast("bytes | None", runtime.redis.get(keys.live(runtime.source)))
    if found is None or not isinstance(runtime.provider, MarketProvider):
        return None
    pool = ThreadPoolExecutor(1, thread_name_prefix="snapshot")
    asked = pool.submit(runtime.provider.snapshot, day_date(int(found)))
    pool.shutdown(wait=False)
    return asked


def keep_snapshot(
    runtime: Runtime, request: BarRequest, now: dt.datetime, early: Future[MarketDay] | None
) -> None:
    """Keep the forming bars of the whole market, which take one request.

    `now`: the market's clock, when `early` was asked or just now.
    """
    if not isinstance(runtime.provider, MarketProvider):
        return
    session, day = day_date(request.live), None
    if early is not None:
        day = early.result()
    if day is None or day.session != request.live:
        day = runtime.provider.snapshot(session)
    if not day.symbols:
        raise ProviderUnavailable("the snapshot holds no bar yet: try again after the open")
    runtime.store.write(day, asked_at=now.timestamp(), expiry=_SNAPSHOT_SECONDS)
    with redis_errors("note a live scan"):
        runtime.redis.set(keys.live(runtime.source), request.live, ex=_SNAPSHOT_SECONDS)


def still_open(runtime: Runtime, request: BarRequest, window: Window) -> dt.datetime:
    """Return the market's clock; ConfigError if the session has closed since the scan was planned.

    For a scan that had to wait for sessions of the past.
    """
    session, now = day_date(request.live), market_now(runtime.provider)
    if window.calendar.open_at(now) != session:
        raise ConfigError(f"the session {session} has closed meanwhile: scan it without --live")
    return now
