"""Bars of a scan that are still in the cache: a report and symbols come in, series go out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scanner.bars.block import BarSeries
from scanner.bars.cache import BarRequest
from scanner.bars.redis_cache import RedisBarCache
from scanner.results.report import ScanReport
from scanner.rules.tree import Expression
from scanner.rules.verdicts import asks_what_is_finished
from scanner.timeframe import DAILY, day_number
from views.cli.session import Stores, read_settings


def cached_bars(stores: Stores, report: ScanReport, symbols: Sequence[str]) -> dict[str, BarSeries]:
    """Return the bars of those of `symbols` that are in the cache, as the scan saw them."""
    facts = report.facts
    if facts.as_of is None:
        return {}
    last = day_number(facts.as_of)
    request = BarRequest(
        source=facts.source, timeframe=DAILY, first=last - facts.lookback_days, last=last
    )
    cache = RedisBarCache(stores.cache, stores.settings.bars_expiry)
    found = cache.read(request, list(dict.fromkeys(symbols)))
    return {symbol: one for symbol, one in found.series.items() if len(one)}


def calendar_for(report: ScanReport, asked: Iterable[Expression]) -> tuple[int, ...]:
    """Return the exchange's sessions around a scan, if one of `asked` asks what is finished."""
    if not asks_what_is_finished(asked):
        return ()
    # The calendar brings pandas, a second and more: only who needs it waits for it.
    from scheduler.sessions import calendar_of, recent_sessions

    last = report.facts.as_of
    if last is None:
        return ()
    recent = recent_sessions(calendar_of(read_settings()[0], last), last)
    return tuple(day_number(day) for day in recent)
