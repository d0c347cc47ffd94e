"""A batch from symbols to records; needs neither Celery nor Redis.

1. load the bars of the batch, cache first                         (bars/load.py)
2. a symbol without usable bars becomes an Absence with its reason (`_absence_of`, `_check`)
3. stack the others into one block, aligned at the last bar        (bars/block.py)
4. compute all columns for the whole block at once                 (indicators/compute.py)
5. decide what each screen asks of each row                        (rules/verdicts.py)
6. make one Row of each symbol's last values                       (results/report.py)

A batch that raises is scanned again symbol by symbol, so that only the symbol that raises
becomes an error. Every symbol of the batch ends as exactly one Row or Absence.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import structlog
from structlog.contextvars import bind_contextvars

from scanner.bars.block import FIELDS, BarSeries, stack
from scanner.bars.cache import BarCache, BarRequest
from scanner.bars.flags import age_in_sessions, flags_of
from scanner.bars.load import load_bars
from scanner.bars.provider import Provider
from scanner.bars.store import MarketStore
from scanner.errors import (
    ProviderPaused,
    RateLimited,
    ScannerError,
    TransientError,
    UnknownSymbol,
)
from scanner.indicators.compute import Engine
from scanner.results.report import INSUFFICIENT, STALE, Absence, Record, Row
from scanner.rules.scope import Scope
from scanner.rules.screens import Screen
from scanner.rules.verdicts import input_rows, plain_numbers
from scanner.timeframe import day_date
from scanner.turns import TURNS

log = structlog.get_logger(__name__)

#: Columns of a row that are the last bar itself.
BAR_COLUMNS: Final = FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanTools:
    """What a process needs to scan a batch."""

    cache: BarCache
    provider: Provider
    engine: Engine
    screens: Sequence[Screen]
    #: Indicator columns; a row holds BAR_COLUMNS before them.
    columns: tuple[str, ...]
    min_bars: int
    #: Where the sessions of the whole market are kept, if anywhere.
    store: MarketStore | None = None
    #: Symbols that the screens compare others with, and of which there are bars.
    benchmarks: tuple[str, ...] = ()
    #: Recent sessions of the exchange and the one after as_of, days since 1970-01-01.
    calendar: tuple[int, ...] = ()

    @property
    def row_columns(self) -> tuple[str, ...]:
        """Names of the values of a row, in their order."""
        return (*BAR_COLUMNS, *self.columns)


@dataclass(slots=True)
class BatchResult:
    """The records of a batch, and what they took."""

    records: list[Record] = field(default_factory=list)
    #: Stage -> seconds of this thread.
    seconds: dict[str, float] = field(default_factory=dict)
    #: Where bars came from -> symbols.
    bars: Counter[str] = field(default_factory=Counter)

    def add(self, other: BatchResult) -> None:
        """Take in the result of a part of the batch."""
        self.records += other.records
        self.bars += other.bars
        for stage, spent in other.seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + spent

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time that the body takes to `stage`, which log lines name."""
        bind_contextvars(stage=stage)
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.seconds[stage] = self.seconds.get(stage, 0.0) + spent


def scan_batch(symbols: Sequence[str], request: BarRequest, tools: ScanTools) -> BatchResult:
    """Return one record for each of `symbols`; KeyRefused and StoreUnavailable stop it."""
    result = BatchResult()
    bind_contextvars(stage="begin")
    try:
        result.records = _scan_block(symbols, request, tools, result)
    except ScannerError:
        raise
    except BaseException as error:
        if len(symbols) == 1:
            log.exception("symbol failed", symbol=symbols[0], cause=repr(error))
            result.records = [absence_of(symbols[0], error)]
        else:
            for symbol in symbols:
                result.add(scan_batch([symbol], request, tools))
    return result


def _scan_block(
    symbols: Sequence[str], request: BarRequest, tools: ScanTools, result: BatchResult
) -> list[Record]:
    with result.timed("bars"):
        loaded = load_bars(request, symbols, tools.cache, tools.provider, tools.store)
        benchmarks = load_benchmarks(request, tools.benchmarks, tools)
    records: list[Record] = []
    usable: list[BarSeries] = []
    for symbol in symbols:
        if symbol in loaded.errors:
            records.append(absence_of(symbol, loaded.errors[symbol]))
            continue
        series = loaded.series[symbol]
        absence = _check(series, request, tools.min_bars)
        if absence is None:
            usable.append(series)
        else:
            records.append(absence)
    if usable:
        # One block at a time: those of all threads would need their arrays at once.
        with TURNS.stretch():
            TURNS.begin()
            records += _rows(usable, benchmarks, request, tools, result)
    result.bars += loaded.counts
    return records


def load_benchmarks(
    request: BarRequest, names: Sequence[str], tools: ScanTools
) -> dict[str, BarSeries]:
    """Return the bars of those of `names` that have any; TransientError if one may have later."""
    if not names:
        return {}
    loaded = load_bars(request, names, tools.cache, tools.provider, tools.store)
    for error in loaded.errors.values():
        if isinstance(error, TransientError):
            raise error
    return {name: one for name, one in loaded.series.items() if len(one)}


def absence_of(symbol: str, error: BaseException) -> Absence:
    """Return the absence of a symbol whose scan ended in `error`."""
    match error:
        case RateLimited():
            state = "deferred:budget"
        case ProviderPaused():
            state = "deferred:provider"
        case UnknownSymbol():
            state = "no_data:unknown_symbol"
        case _:
            state = f"error:{type(error).__name__}"
    final = not isinstance(error, TransientError)
    return Absence(symbol=symbol, state=state, reason=str(error)[:500], final=final)


def _check(series: BarSeries, request: BarRequest, min_bars: int) -> Absence | None:
    """Return why a series gives no row: no bars, an old last bar, or too few bars."""
    symbol = series.symbol
    if not len(series):
        span = f"{day_date(request.first)} and {day_date(request.last)}"
        return Absence(
            symbol=symbol,
            state="no_data:no_bars",
            reason=f"{symbol}: the provider has no bars between {span}; check the symbol",
        )
    last = int(series.sessions[-1])
    if last < request.newest:
        return Absence(
            symbol=symbol,
            state=STALE,
            reason=f"{symbol}: the last bar is of {day_date(last)}, not of "
            f"{day_date(request.newest)}{_age(last, request)}; it may be halted or delisted",
        )
    if len(series) < min_bars:
        return Absence(
            symbol=symbol,
            state=INSUFFICIENT,
            reason=f"{symbol}: too few bars, {len(series)} of at least {min_bars} for a row",
        )
    return None


def _age(session: int, request: BarRequest) -> str:
    """Return how many sessions old a bar is, if the sessions are known."""
    age = age_in_sessions(session, request.sessions) + bool(request.live)
    return f", {age} session{'s' * (age != 1)} old" if request.sessions else ""


def _rows(
    series: Sequence[BarSeries],
    benchmarks: Mapping[str, BarSeries],
    request: BarRequest,
    tools: ScanTools,
    result: BatchResult,
) -> list[Record]:
    with result.timed("indicators"):
        block = stack(series)
        arrays = tools.engine.compute(block, tools.columns)
    with result.timed("decide"):
        scope = Scope(
            block=block,
            compute=tools.engine.compute,
            columns=arrays,
            benchmarks=benchmarks,
            calendar=np.array(tools.calendar, dtype=np.int32),
        )
        inputs = input_rows(scope, tools.screens)
    with result.timed("rows"):
        last = [block.values[index, :, -1] for index in range(len(BAR_COLUMNS))]
        last += [arrays[name][:, -1] for name in tools.columns]
        plain = plain_numbers(np.stack(last, axis=1))
        live = (request.live,) if request.live else ()
        flags = flags_of(block, (*request.sessions, *live) if request.sessions else (), live)
        if request.grouped and tools.store is not None:
            suspects = tools.store.suspects(block.symbols)
            flags = [
                odd | {"suspect_split": 1} if symbol in suspects else odd
                for symbol, odd in zip(block.symbols, flags, strict=True)
            ]
        return [
            Row(
                symbol=one.symbol,
                session=int(one.sessions[-1]),
                bars=len(one),
                values=values,
                inputs=asked,
                flags=odd,
            )
            for one, values, asked, odd in zip(series, plain, inputs, flags, strict=True)
        ]
