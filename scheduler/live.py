"""A scan of the session that is open: a snapshot of the whole market is laid over its history.

The forming bars are kept as a copy of their session that is not final: after the close it is asked
for again, as any other.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from scanner.bars.cache import BarRequest
from scanner.bars.provider import MarketProvider
from scanner.bootstrap import Runtime
from scanner.errors import ConfigError, ProviderUnavailable
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


def keep_snapshot(runtime: Runtime, request: BarRequest, window: Window) -> None:
    """Ask for the forming bars of the whole market, in one request, and keep them.

    ConfigError if the session has closed since the scan was planned.
    """
    if not isinstance(runtime.provider, MarketProvider):
        return
    session, now = day_date(request.live), market_now(runtime.provider)
    if window.calendar.open_at(now) != session:
        raise ConfigError(f"the session {session} has closed meanwhile: scan it without --live")
    day = runtime.provider.snapshot(session)
    if not day.symbols:
        raise ProviderUnavailable("the snapshot holds no bar yet: try again after the open")
    runtime.store.write(day, asked_at=now.timestamp(), expiry=_SNAPSHOT_SECONDS)
