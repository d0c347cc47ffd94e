"""How a scan starts: a request opens it, `start_scan` plans it and puts its batches on a queue.

1. a request has opened the scan as planned                            (request.py)
2. `start_scan` finds the symbols, the session and what to ask for     (control)
3. sessions of the whole market that are missing are fetched first     (fetch.py)
4. what is no symbol becomes an absence; the others go out as a chord  (control)
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog
from celery import chord

from scanner.bars.budget import parse_rate
from scanner.bars.cache import BarRequest
from scanner.bootstrap import Runtime, lookback_days, screens_text
from scanner.errors import ConfigError, ScannerError, StoreUnavailable
from scanner.pipeline import absence_of, load_benchmarks
from scanner.results.redis_records import BatchRecords, ScanRules
from scanner.rules.names import TEXTS
from scanner.rules.screens import read_screens
from scanner.rules.verdicts import benchmarks_of
from scanner.spec import ScanSpec, split_symbols
from scanner.timeframe import day_date, day_number
from scheduler.fetch import fetch_first, has_to_wait
from scheduler.live import ask_early, keep_snapshot, live_request, still_open
from scheduler.market import (
    BarsNeed,
    Window,
    bars_need,
    sample_left,
    todays_sample,
    traded_in,
    window_of,
)
from scheduler.plan import Cost, ScanPlan, cost_of, make_plan, plan_of_store, seconds_of
from scheduler.sessions import calendar_of, market_now, recent_sessions
from scheduler.universe import Universe, resolve
from worker.finish import finish
from worker.tasks import compare_sample, finish_scan, scan_symbols

log = structlog.get_logger(__name__)

#: A scan has this many times its planned seconds before it is closed.
DEADLINE_FACTOR: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A scan that could start."""

    spec: ScanSpec
    universe: Universe
    window: Window
    need: BarsNeed
    #: Text -> why it is no symbol.
    invalid: Mapping[str, ScannerError]
    #: Its batches, and what they cost beside `need`.
    plan: ScanPlan
    #: Seconds that all requests take.
    seconds: float
    #: Symbols that are compared with a fetch of their own, if the budget allows.
    sample: int = 0

    @property
    def cost(self) -> Cost:
        """What it asks the provider for; a listing has been made by the plan itself."""
        calls = {
            "listing": self.universe.calls,
            "sessions": len(self.need.missing) + len(self.need.due),
            "splits": int(self.need.splits_from is not None),
            "bars": self.plan.calls,
            "sample": self.sample,
        }
        listed = len(self.universe.texts.get("type", ()))
        symbols = max(listed, len(self.universe.symbols))
        return cost_of(calls, symbols=symbols, sessions=len(self.window.days))


def start_scan(runtime: Runtime, scan_id: str, *, ask_again: bool = True) -> None:
    """Plan an open scan and put it on the queue; what goes wrong closes it as failed.

    Called again when the sessions that it asked for have come; without `ask_again` those that
    have not are left to the reconciler.
    """
    started = time.perf_counter()
    spec = runtime.state.spec(scan_id)
    if spec is None:
        log.error("scan is gone", scan=scan_id)
        return
    try:
        runtime.check_source(spec.source)
        before = runtime.state.prepared(scan_id)
        early = ask_early(runtime) if spec.live and before.now is None else None
        planned = plan_scan(runtime, spec, now=before.now, how=before.how)
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
    fields = _fields(planned) | rules | {"seconds:plan": time.perf_counter() - started}
    _start(runtime, scan_id, planned, time.time() + deadline, fields)


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

    chord(header())(finish_scan.si(scan_id))


def plan_scan(
    runtime: Runtime, spec: ScanSpec, *, now: dt.datetime | None = None, how: str = ""
) -> Planned:
    """Return what a scan would do, without starting it; the universe is listed for it.

    `now`, `how`: what it has decided before it asked for sessions.
    """
    if spec.live and spec.as_of is not None:
        raise ConfigError("a live scan is of the session that is open: leave out --as-of")
    spec = _filled_in(runtime, spec)
    now = now or market_now(runtime.provider)
    universe = resolve(runtime, spec.universe)
    window = window_of(runtime, now, _as_of(runtime, spec, now), spec.lookback_days or 0)
    symbols, invalid = split_symbols(universe.symbols)
    need = bars_need(runtime, window, symbols, how=how or spec.fetch)
    if spec.live:
        need = dataclasses.replace(need, request=live_request(runtime, window, need.request))
    if need.request.grouped and not need.missing and spec.universe == "all":
        symbols, universe = _with_traded(runtime, need.request, symbols, universe)
    threads = runtime.settings.workers * runtime.settings.threads
    rate = parse_rate(runtime.settings.rate)
    if need.request.grouped:
        plan = plan_of_store(symbols, batch_size=spec.batch_size, threads=threads)
    else:
        plan = make_plan(
            symbols, need.to_fetch, batch_size=spec.batch_size, threads=threads, rate=rate
        )
    return Planned(
        spec=spec,
        universe=universe,
        window=window,
        need=need,
        invalid=dict(invalid),
        plan=plan,
        seconds=seconds_of(plan.calls + need.requests, threads=threads, rate=rate),
        sample=sample_left(runtime, need.request),
    )


def _with_traded(
    runtime: Runtime, request: BarRequest, symbols: list[str], universe: Universe
) -> tuple[list[str], Universe]:
    """Return the symbols and those that are traded without being listed, which are marked."""
    listed = set(symbols)
    more = [symbol for symbol in traded_in(runtime.store, request) if symbol not in listed]
    if not more:
        return symbols, universe
    texts = {**universe.texts, "origin": dict.fromkeys(more, "traded, but not listed")}
    return [*symbols, *more], dataclasses.replace(universe, texts=texts)


def _filled_in(runtime: Runtime, spec: ScanSpec) -> ScanSpec:
    """Return the request with the screens and the history that it leaves to the settings."""
    screens = spec.screens or screens_text(runtime.settings)
    days = spec.lookback_days or lookback_days(runtime.settings, screens)
    return dataclasses.replace(spec, screens=screens, lookback_days=days)


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


def _as_of(runtime: Runtime, spec: ScanSpec, now: dt.datetime) -> dt.date:
    """Return the session that rows must end on.

    Of a provider whose bars are cached by date, a session that has not closed is refused: its
    bars would pass for final ones.
    """
    newest = runtime.provider.last_session()
    if newest is None:
        newest = calendar_of(runtime.settings, now.date()).last_closed(now)
    if spec.as_of is None:
        return newest
    if runtime.settings.provider == "files":
        return spec.as_of
    if spec.as_of > newest:
        raise ConfigError(
            f"expected an as_of up to the last closed session, {newest}, got {spec.as_of}"
        )
    calendar = calendar_of(runtime.settings, spec.as_of)
    if not calendar.between(spec.as_of, spec.as_of):
        before = calendar.between(spec.as_of - dt.timedelta(days=14), spec.as_of)[-1]
        raise ConfigError(f"{spec.as_of} is no session of the exchange: the one before is {before}")
    return spec.as_of


def _fields(planned: Planned) -> dict[str, Any]:
    request = planned.need.request
    market = {
        "grouped": request.grouped,
        "sessions": request.sessions,
        "since": request.since,
        "until": request.until,
        "live": request.live,
    }
    return {
        "source": planned.spec.source,
        "universe": planned.spec.universe,
        "timeframe": request.timeframe,
        "first": request.first,
        "last": request.last,
        "market": orjson.dumps(market).decode(),
        "live": request.live,
        "notes": orjson.dumps(_notes(planned)).decode(),
        "batches": len(planned.plan.batches),
        "calls": planned.plan.calls,
        "planned_seconds": planned.seconds,
    }


def _notes(planned: Planned) -> list[str]:
    """Return what the plan had to assume."""
    days = ", ".join(map(str, planned.need.empty))
    empty = (
        f"the provider has no bars of {days}: taken for no session; a file of SCANNER_CLOSURES may"
    )
    return [*planned.universe.notes, *([f"{empty} say so"] if days else [])]
