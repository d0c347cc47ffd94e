"""How a scan starts: a request opens it, `start_scan` plans it and puts its batches on a queue.

1. a request has opened the scan as planned                            (request.py)
2. `start_scan` finds the symbols, the session and the plan            (control)
3. what is no symbol becomes an absence; the others go out as a chord  (control)
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
import structlog
from celery import chord

from scanner.bars.budget import parse_rate
from scanner.bars.cache import BarRequest
from scanner.bootstrap import Runtime, lookback_days, screens_text
from scanner.errors import ConfigError, ScannerError
from scanner.pipeline import absence_of, load_benchmarks
from scanner.results.redis_records import BatchRecords, ScanRules
from scanner.rules.screens import read_screens
from scanner.rules.verdicts import asks_what_is_finished, benchmarks_of
from scanner.spec import ScanSpec, split_symbols
from scanner.timeframe import DAILY, day_date, day_number
from scheduler.plan import ScanPlan, make_plan
from scheduler.sessions import last_closed_session, recent_sessions
from scheduler.universe import resolve, texts_of
from worker.finish import finish
from worker.tasks import finish_scan, scan_symbols

log = structlog.get_logger(__name__)

#: A scan has this many times its planned seconds before it is closed.
DEADLINE_FACTOR: Final = 3.0


def start_scan(runtime: Runtime, scan_id: str) -> None:
    """Plan an open scan and put it on the queue; what goes wrong closes it as failed."""
    started = time.perf_counter()
    spec = runtime.state.spec(scan_id)
    if spec is None:
        log.error("scan is gone", scan=scan_id)
        return
    try:
        runtime.check_source(spec.source)
        spec = _filled_in(runtime, spec)
        request, plan, invalid = _planned(runtime, spec)
        rules = _rules(runtime, scan_id, spec, request)
    except ScannerError as error:
        log.error("scan not started", scan=scan_id, cause=str(error))  # noqa: TRY400 - expected
        runtime.state.stop(scan_id, str(error))
        finish(runtime, scan_id)
        return
    universe = [symbol for batch in plan.batches for symbol in batch] + list(invalid)
    deadline = time.time() + max(runtime.settings.deadline, DEADLINE_FACTOR * plan.seconds)
    fields = _fields(spec, request, plan) | rules
    fields |= {"seconds:plan": time.perf_counter() - started}
    if not runtime.state.start(scan_id, universe, deadline, fields):
        return
    absences = [absence_of(symbol, error) for symbol, error in invalid.items()]
    runtime.state.write(scan_id, BatchRecords(final=absences, waiting=()))
    publish(runtime, scan_id, plan.batches)


def publish(runtime: Runtime, scan_id: str, batches: Sequence[Sequence[str]]) -> None:
    """Put the batches on the queue as a chord whose body closes the scan.

    The header is a generator: a list would leave a subscription behind for each part. It notes
    its time at its end, which Celery reaches before it sends the last part.
    """

    def header() -> Iterator[Any]:
        started = time.perf_counter()
        for number, batch in enumerate(batches):
            yield scan_symbols.s(scan_id, number, list(batch))
        runtime.state.note(scan_id, {"seconds:enqueue": time.perf_counter() - started})

    chord(header())(finish_scan.si(scan_id))


def preview(runtime: Runtime, spec: ScanSpec) -> tuple[BarRequest, ScanPlan]:
    """Return what a scan would do, without starting it; the universe is listed for it."""
    request, plan, _ = _planned(runtime, _filled_in(runtime, spec))
    return request, plan


def _filled_in(runtime: Runtime, spec: ScanSpec) -> ScanSpec:
    """Return the request with the screens and the history that it leaves to the settings."""
    screens = spec.screens or screens_text(runtime.settings)
    days = spec.lookback_days or lookback_days(runtime.settings, screens)
    return dataclasses.replace(spec, screens=screens, lookback_days=days)


def _planned(
    runtime: Runtime, spec: ScanSpec
) -> tuple[BarRequest, ScanPlan, dict[str, ScannerError]]:
    symbols, invalid = split_symbols(resolve(runtime, spec.universe))
    last = _as_of(runtime, spec)
    request = BarRequest(
        source=spec.source,
        timeframe=DAILY,
        first=day_number(last) - (spec.lookback_days or 0),
        last=day_number(last),
    )
    settings = runtime.settings
    to_fetch: set[str] = set()
    if settings.provider != "files":
        to_fetch = set(symbols) - runtime.tools.cache.covered(request, symbols)
    plan = make_plan(
        symbols,
        to_fetch,
        batch_size=spec.batch_size,
        threads=settings.workers * settings.threads,
        rate=parse_rate(settings.rate),
    )
    return request, plan, dict(invalid)


def _rules(runtime: Runtime, scan_id: str, spec: ScanSpec, request: BarRequest) -> dict[str, str]:
    """Return what decides the rows of the scan, as fields of its state.

    Benchmarks are fetched here, once: the workers find them in the cache.
    """
    texts = texts_of(spec.universe)
    if texts:
        runtime.state.keep_texts(scan_id, texts)
    rules = ScanRules(screens=spec.screens, told=tuple(texts))
    file = str(runtime.settings.screens or "screens.toml")
    for mistake in read_screens(spec.screens, file, rules.told).mistakes.values():
        log.warning("screen left out", scan=scan_id, cause=mistake)
    tools = runtime.tools_of(rules)
    asked = [x for screen in tools.screens for x in screen.asked]
    benchmarks = load_benchmarks(request, benchmarks_of(asked), tools)
    sessions: list[dt.date] = []
    if asks_what_is_finished(asked):
        sessions = recent_sessions(day_date(request.last))
    return {
        "screens": rules.screens,
        "told": orjson.dumps(rules.told).decode(),
        "calendar": orjson.dumps([day_number(day) for day in sessions]).decode(),
        "benchmarks": orjson.dumps(list(benchmarks)).decode(),
        "columns": orjson.dumps(tools.columns).decode(),
    }


def _as_of(runtime: Runtime, spec: ScanSpec) -> dt.date:
    """Return the session that rows must end on.

    Of a provider whose bars are cached by date, a session that has not closed is refused: its
    bars would pass for final ones.
    """
    newest = runtime.provider.last_session() or last_closed_session(dt.datetime.now(dt.UTC))
    if spec.as_of is None:
        return newest
    if spec.as_of > newest and runtime.settings.provider != "files":
        raise ConfigError(
            f"expected an as_of up to the last closed session, {newest}, got {spec.as_of}"
        )
    return spec.as_of


def _fields(spec: ScanSpec, request: BarRequest, plan: ScanPlan) -> dict[str, Any]:
    return {
        "source": spec.source,
        "universe": spec.universe,
        "timeframe": request.timeframe,
        "first": request.first,
        "last": request.last,
        "batches": len(plan.batches),
        "calls": plan.calls,
        "planned_seconds": plan.seconds,
    }
