"""When a scan is due: the clock and the schedule come in, the due slot goes out.

Beat ticks once a minute and knows nothing else. The tick decides in New York time, and claims
its slot in Redis, so that a slot starts one scan whatever ticks are late, lost or doubled.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, cast

import structlog

from scanner import keys
from scanner.bootstrap import Runtime
from scanner.errors import ConfigError, ScanRunning
from scanner.redis_errors import redis_errors
from scanner.schedule import AfterClose, parse_schedule
from scanner.timeframe import EXCHANGE_ZONE
from scheduler.request import request_scan, spec_of
from scheduler.sessions import Calendar, calendar_of

log = structlog.get_logger(__name__)

#: A time of day that was missed by more than this is skipped.
_GRACE: Final = dt.timedelta(minutes=30)
_CLAIM_SECONDS: Final = 7 * 86_400
#: After this a tick that has claimed a slot and started nothing is taken for dead.
_DEAD_AFTER: Final = dt.timedelta(seconds=45)
#: When a session closes of which no calendar says more.
_CLOSE: Final = dt.time(16)


def due_slot(schedule: str, now: dt.datetime, calendar: Calendar | None = None) -> str | None:
    """Return the name of the slot that is due at `now`, or None.

    `every 15m` is always in a slot: quarters of the hour since midnight in New York. `at 16:20` and
    `at close+20m` are due for half an hour, on sessions of the calendar; without one, on every day.
    """
    parsed = parse_schedule(schedule)
    today = now.astimezone(EXCHANGE_ZONE).date()
    if parsed is None:
        return None
    if isinstance(parsed, dt.timedelta):
        return f"{today}/{int((now - _moment(today, dt.time.min)) / parsed)}"
    for day in (today, today - dt.timedelta(days=1)):
        due = _due_at(day, parsed, calendar)
        if due is not None and dt.timedelta(0) <= now - due < _GRACE:
            return f"{day}/{due.astimezone(EXCHANGE_ZONE):%H:%M}"
    return None


def _due_at(
    day: dt.date, at: dt.time | AfterClose, calendar: Calendar | None
) -> dt.datetime | None:
    """Return when the slot of a day is due; None if it is no session."""
    try:
        close = calendar.close_of(day) if calendar else _moment(day, _CLOSE)
    except KeyError:
        return None
    return close + at.delay if isinstance(at, AfterClose) else _moment(day, at)


def _moment(day: dt.date, time: dt.time) -> dt.datetime:
    """Return a time of day in New York, in UTC, where every day has each minute once.

    A time that the change to summer skips is an hour later.
    """
    return dt.datetime.combine(day, time, EXCHANGE_ZONE).astimezone(dt.UTC)


def _calendar(runtime: Runtime, now: dt.datetime) -> Calendar | None:
    """Return the exchange's sessions if bars come from it as they are made.

    Files and the simulated market are what they are on every day. None as well if the calendar
    cannot be read: the scan that is started will say why.
    """
    if runtime.settings.provider != "polygon":
        return None
    try:
        return calendar_of(runtime.settings, now.date())
    except ConfigError:
        return None


def _claimed(runtime: Runtime, key: str, now: dt.datetime) -> bool:
    """Return whether the slot is this tick's: nobody's yet, or of one that died with it."""
    with redis_errors("claim a slot"):
        if runtime.redis.set(key, now.isoformat(), nx=True, ex=_CLAIM_SECONDS):
            return True
        holder = cast("bytes | None", runtime.redis.get(key))
    try:
        since = dt.datetime.fromisoformat((holder or b"").decode())
    except ValueError:  # the id of a scan
        return False
    return now - since >= _DEAD_AFTER


def _settle(runtime: Runtime, key: str, scan_id: str) -> None:
    """Note which scan a slot has."""
    with redis_errors("settle a slot"):
        runtime.redis.set(key, scan_id, xx=True, keepttl=True)


def tick(runtime: Runtime, now: dt.datetime) -> str | None:
    """Ask for the scan that is due at `now` and return its id; None if none is due or one runs."""
    spec = spec_of(runtime)
    slot = due_slot(runtime.settings.schedule, now, _calendar(runtime, now))
    if slot is None:
        return None
    key = keys.slot(spec.source, spec.universe, slot)
    if not _claimed(runtime, key, now):
        return None
    try:
        scan_id = request_scan(runtime, spec)
    except ScanRunning as running:
        log.warning("slot skipped", slot=slot, cause=str(running))
        _settle(runtime, key, running.scan_id)
        return None
    _settle(runtime, key, scan_id)
    log.info("scan is due", slot=slot, scan=scan_id)
    return scan_id
