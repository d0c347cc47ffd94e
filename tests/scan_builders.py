"""Parts of a scan for tests: series, a scripted provider, tools, rows, absences and reports."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np

from scanner.bars.adjust import Split
from scanner.bars.block import BarSeries, checked_series
from scanner.bars.cache import BarRequest, MemoryBarCache
from scanner.bars.market_day import MarketDay
from scanner.bars.universe import Listed
from scanner.errors import UnknownSymbol
from scanner.indicators.compute import KernelEngine
from scanner.pipeline import BAR_COLUMNS, ScanTools
from scanner.results.report import Absence, RankedRow, Row, ScanFacts, ScanReport, ScreenResult
from scanner.rules.score import COMPONENTS
from scanner.rules.screens import SCREENS
from scanner.timeframe import DAILY, day_number

AS_OF = dt.date(2025, 7, 9)
LAST = day_number(AS_OF)
ASKED = dt.datetime(2025, 7, 9, 20, 20, tzinfo=dt.UTC)
REQUEST = BarRequest(source="test-1", timeframe=DAILY, first=LAST - 399, last=LAST)
#: What a scan of one batch notes as it starts.
FIELDS = {"source": "test-1", "universe": "all", "timeframe": "1d", "batches": 1}
FIELDS |= {"first": REQUEST.first, "last": LAST}
COLUMNS = ("sma_5", "return_1", *COMPONENTS.values())


def series(symbol="AAA", bars=30, last=LAST, seed=1) -> BarSeries:
    """Return random bars on consecutive days that end on `last`."""
    source = np.random.default_rng(seed)
    start, close = source.uniform(10.0, 20.0, (2, bars))
    high = np.maximum(start, close) + source.random(bars)
    low = np.minimum(start, close) - source.random(bars)
    volume = source.integers(1, 10**8, bars) / 4
    days = np.arange(last - bars + 1, last + 1)
    return checked_series(symbol, days, np.stack([start, high, low, close, volume]))


class ScriptedProvider:
    """Answers each symbol with its series, or raises the error that stands in its place."""

    def __init__(self, answers=None, session: dt.date | None = AS_OF) -> None:
        self.answers = dict(answers or {})
        self.session = session
        self.asked: list[str] = []

    def fetch(self, symbol, first, last) -> BarSeries:
        """Return what the script says about `symbol`, cut to the request."""
        self.asked.append(symbol)
        answer = self.answers.get(symbol, UnknownSymbol(f"{symbol}: not in the script"))
        if isinstance(answer, BaseException):
            raise answer
        return answer.between(day_number(first), day_number(last))

    def symbols(self, universe) -> list[str]:
        """Return all symbols of the script."""
        return list(self.answers)

    def last_session(self) -> dt.date | None:
        """Return the session that the test chose."""
        return self.session


class ScriptedMarket(ScriptedProvider):
    """Answers for the whole market too, from the same series; counts what it was asked."""

    def __init__(self, answers=None, clock=ASKED, splits=(), types=None) -> None:
        super().__init__(answers, session=None)
        self.clock = clock
        self.script_of_splits = list(splits)
        self.types = dict(types or {})
        self.calls: list[str] = []
        self.samples: dict[str, BarSeries] = {}
        self.days_asked: set[dt.date] = set()

    def day(self, session) -> MarketDay:
        """Return what the script says of a session, or raise what stands in its place."""
        self.calls.append(str(session))
        self.days_asked.add(session)
        answer = self.answers.get(str(session))
        if isinstance(answer, BaseException):
            raise answer
        day = day_number(session)
        bars = {
            symbol: one.between(day, day).values[:, 0]
            for symbol, one in self.answers.items()
            if isinstance(one, BarSeries) and len(one.between(day, day))
        }
        values = np.array(list(bars.values())).reshape(len(bars), 5).T
        return MarketDay(session=day, symbols=tuple(bars), values=values)

    def splits(self, first, last) -> list[Split]:
        """Return the splits of the script between two days."""
        self.calls.append("splits")
        span = day_number(first), day_number(last)
        return [one for one in self.script_of_splits if span[0] <= one.session <= span[1]]

    def snapshot(self, session) -> MarketDay:
        """Return the bars of a session as forming ones."""
        return self.day(session)

    def sample(self, symbol, first, last) -> BarSeries:
        """Return the bars of a symbol as the provider adjusts them."""
        self.calls.append(f"sample {symbol}")
        found = self.samples.get(symbol) or super().fetch(symbol, first, last)
        if isinstance(found, BaseException):
            raise found
        kept = np.isin(found.sessions, [day_number(day) for day in self.days_asked])
        return BarSeries(symbol=symbol, sessions=found.sessions[kept], values=found.values[:, kept])

    def listing(self) -> list[Listed]:
        """Return all symbols of the script, common stock where nothing else is said."""
        self.calls.append("listing")
        return [
            Listed(symbol=symbol, texts={"type": self.types.get(symbol, "CS")})
            for symbol, one in sorted(self.answers.items())
            if isinstance(one, BarSeries)
        ]

    def now(self) -> dt.datetime | None:
        """Return the time that the test chose."""
        return self.clock


def tools(provider, cache=None, engine=None, min_bars=2, columns=COLUMNS) -> ScanTools:
    """Return what a process needs to scan a batch, in memory where nothing is given."""
    return ScanTools(
        cache=cache or MemoryBarCache(),
        provider=provider,
        engine=engine or KernelEngine(),
        screens=SCREENS,
        columns=columns,
        min_bars=min_bars,
    )


def row(symbol="AAA", values=None, inputs=()) -> Row:
    """Return a row; `values`: column -> value, 1.5 for all others."""
    known = values or {}
    return Row(
        symbol=symbol,
        session=LAST,
        bars=300,
        values=tuple(known.get(name, 1.5) for name in (*BAR_COLUMNS, *COLUMNS)),
        inputs=inputs,
        outcomes={} if inputs else {"all": "hit"},
    )


def young_report() -> ScanReport:
    """Return a report of an old and a young symbol with a column that 188 bars settle."""
    columns = (*BAR_COLUMNS, *COLUMNS, "rsi_14", "psar_up_0.02_0.2")
    rows = [
        dataclasses.replace(one, bars=bars, values=(*one.values, 50.0, None))
        for one, bars in ((row("OLD"), 300), (row("YOUNG"), 100))
    ]
    return report(rows, columns=columns)


def absence(symbol="BBB", state="stale", *, final=True) -> Absence:
    """Return an absence."""
    return Absence(symbol=symbol, state=state, reason=f"{symbol}: why", final=final)


def facts(**changes) -> ScanFacts:
    """Return the facts of a scan with `changes`."""
    plain = {
        "id": "scan-1",
        "source": "test-1",
        "universe": "all",
        "as_of": AS_OF,
        "lookback_days": 400,
        "columns": (*BAR_COLUMNS, *COLUMNS),
        "weights": {"momentum": 0.4, "trend": 0.3, "relative_volume": 0.15, "high": 0.15},
        "asked_at": ASKED,
        "closed_at": ASKED + dt.timedelta(seconds=3),
    }
    return ScanFacts(**plain | changes)


def report(rows=(), absences=(), state="done", **changes) -> ScanReport:
    """Return a report of `rows` in their order; the first has the highest score."""
    ranked = tuple(
        RankedRow(row=one, rank=n, score=100.0 / n, contributions={"momentum": 100.0 / n})
        for n, one in enumerate(rows, start=1)
    )
    hits = tuple(one.symbol for one in rows)
    ledger = {"hit": len(hits), "absent": len(absences)}
    return ScanReport(
        facts=facts(**changes),
        state=state,
        rows=ranked,
        absences=tuple(absences),
        ledger={"scored": len(hits), **{one.state: 1 for one in absences}},
        screens={"all": ScreenResult(hits=hits, ledger=ledger)},
    )
