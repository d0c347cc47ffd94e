"""How a scan starts: a request opens it, `start_scan` plans it and puts its batches on a queue.

1. a request has opened the scan as planned                            (request.py)
2. `start_scan` finds the symbols, the session and what to ask for     (control)
3. sessions of the whole market that are missing are fetched first     (fetch.py)
4. what is no symbol becomes an absence; the others go out as a chord  (control)
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import structlog
from celery import chord

from scanner.bootstrap import Runtime
from scanner.errors import ScannerError, StoreUnavailable
from scanner.pipeline import absence_of, load_benchmarks
from scanner.results.redis_fetch import Prepared
from scanner.results.redis_records import BatchRecords, ScanRules
from scanner.rules.names import TEXTS
from scanner.rules.screens import read_screens
from scanner.rules.verdicts import benchmarks_of
from scanner.spec import ScanSpec
from scanner.timeframe import day_date, day_number
from scheduler.fetch import fetch_first, has_to_wait, is_unserved, refusal
from scheduler.live import ask_early, keep_snapshot, still_open
from scheduler.market import todays_sample
from scheduler.planned import Planned, fields_of, plan_scan
from scheduler.sessions import recent_sessions
from worker.finish import finish
from worker.tasks import compare_sample, finish_scan, scan_symbols

log = structlog.get_logger(__name__)

#: A scan has this many times its planned seconds before it is closed.
DEADLINE_FACTOR: Final = 3.0
#: Most seconds that fetching by symbol may take where sessions were planned.
_LONGEST_DETOUR: Final = 3_600.0


def start_scan(runtime: Runtime, scan_id: str, *, ask_again: bool = True) -> None:
    """Plan an open scan and put it on the queue; what goes wrong closes it as failed.

    Called again when the sessions that it asked for have come; without `ask_again` those that
    have not are left to the reconciler.
    """
    started = time.perf_counter()
    spec = runtime.state.spec(scan_id)
    if spec is None:
        log.warning("scan is not planned, or not any more", scan=scan_id)
        return
    try:
        runtime.check_source(spec.source)
        before = runtime.state.prepared(scan_id)
        early = ask_early(runtime) if spec.live and before.now is None else None
        planned = _planned(runtime, spec, before)
        deadline = max(runtime.settings.deadline, DEADLINE_FACTOR * planned.seconds)
        if has_to_wait(planned.need, before):
            if ask_again:
                if before.now is None:
                    before = dataclasses.replace(before, deadline=time.time() + deadline)
                fetch_first(runtime, scan_id, planned.need, planned.window, before)
            else:
                runtime.state.note(scan_id, {"round_over": 1})
            return
        if spec.live:
            request, window = planned.need.request, planned.window
            now = window.now if before.now is None else still_open(runtime, request, window)
            keep_snapshot(runtime, request, now, early)
        rules = _rules(runtime, scan_id, planned)
    except StoreUnavailable:
        raise
    except ScannerError as error:
        log.error("scan not started", scan=scan_id, cause=str(error))  # noqa: TRY400 - expected
        runtime.state.stop(scan_id, str(error))
        finish(runtime, scan_id)
        return
    fields = fields_of(planned) | rules | {"seconds:plan": time.perf_counter() - started}
    _start(runtime, scan_id, planned, time.time() + deadline, fields)


def _planned(runtime: Runtime, spec: ScanSpec, before: Prepared) -> Planned:
    """Return the plan of a scan: by symbol if it may choose and sessions are not to be had.

    Not if that would last too long for a scan that nobody asked to do it.
    """
    planned = plan_scan(runtime, spec, now=before.now, how=before.how)
    if spec.fetch != "auto" or not is_unserved(planned.need, planned.window, before):
        return planned
    other = plan_scan(runtime, spec, now=before.now, how="symbols")
    if other.seconds > _LONGEST_DETOUR:
        return planned
    note = f"bars were fetched by symbol: {refusal(planned.need, before)}"
    return dataclasses.replace(other, notes=(note,))


def _start(
    runtime: Runtime, scan_id: str, planned: Planned, deadline: float, fields: Mapping[str, Any]
) -> None:
    batches = planned.plan.batches
    universe = [symbol for batch in batches for symbol in batch] + list(planned.invalid)
    sample = todays_sample(runtime, planned.need.request, universe, planned.sample)
    if not runtime.state.start(scan_id, universe, deadline, fields):
        return
    absences = [absence_of(symbol, error) for symbol, error in planned.invalid.items()]
    runtime.state.write(scan_id, BatchRecords(final=absences, waiting=()))
    if sample:
        # Before the batches: behind them the scan would be over, and it tells what to compare.
        compare_sample.delay(scan_id, sample)
    publish(runtime, scan_id, batches)


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

    end = finish_scan.si(scan_id)
    # The errback is the same: a part that is revoked, or whose result is lost, ends the chord too.
    chord(header())(end.on_error(end.clone()))


def _rules(runtime: Runtime, scan_id: str, planned: Planned) -> dict[str, str]:
    """Return what decides the rows of the scan, as fields of its state.

    Benchmarks are loaded here, once: the workers find them in the cache.
    """
    texts = planned.universe.texts
    if texts:
        runtime.state.keep_texts(scan_id, texts)
    told = tuple(name for name in texts if name in TEXTS)
    rules = ScanRules(screens=planned.spec.screens, told=told)
    file = str(runtime.settings.screens or "screens.toml")
    for mistake in read_screens(rules.screens, file, told).mistakes.values():
        log.warning("screen left out", scan=scan_id, cause=mistake)
    tools = runtime.tools_of(rules)
    asked = [x for screen in tools.screens for x in screen.asked]
    benchmarks = load_benchmarks(planned.need.request, benchmarks_of(asked), tools)
    newest = day_date(planned.need.request.newest)
    sessions = recent_sessions(planned.window.calendar, newest)
    return {
        "screens": rules.screens,
        "told": orjson.dumps(told).decode(),
        "calendar": orjson.dumps([day_number(day) for day in sessions]).decode(),
        "benchmarks": orjson.dumps(list(benchmarks)).decode(),
        "columns": orjson.dumps(tools.columns).decode(),
    }
