"""What a scan would do: a request comes in, its symbols, what to ask for and its batches go out."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from scanner.bars.budget import parse_rate
from scanner.bars.cache import BarRequest
from scanner.bootstrap import Runtime, lookback_days, screens_text
from scanner.errors import ConfigError, ScannerError
from scanner.spec import ScanSpec, split_symbols
from scheduler.live import live_request
from scheduler.market import BarsNeed, Window, bars_need, sample_left, traded_in, window_of
from scheduler.plan import Cost, ScanPlan, cost_of, make_plan, plan_of_store, seconds_of
from scheduler.sessions import calendar_of, market_now
from scheduler.universe import Universe, resolve


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
    #: What the reader of its report has to know.
    notes: tuple[str, ...] = ()

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


def fields_of(planned: Planned) -> dict[str, Any]:
    """Return the plan as fields of a scan's state."""
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
    return [*planned.universe.notes, *planned.notes, *([f"{empty} say so"] if days else [])]
