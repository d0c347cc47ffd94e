"""What a scan found: the pipeline makes Rows and Absences, the aggregate a ScanReport.

Times are UTC. A value is None where a row has too little history, or the formula no answer.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from scanner.bars.block import FIELDS
from scanner.indicators.registry import warming

#: States of a scan, and those in which it is over.
PLANNED: Final = "planned"
RUNNING: Final = "running"
CLOSING: Final = "closing"
DONE: Final = "done"
DEGRADED: Final = "degraded"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
FINISHED: Final = frozenset({DONE, DEGRADED, FAILED, CANCELLED})

#: Ledger states without a reason behind a colon.
SCORED: Final = "scored"
STALE: Final = "stale"
INSUFFICIENT: Final = "insufficient_history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One symbol's numbers in a scan."""

    symbol: str
    #: Session of the last bar, days since 1970-01-01.
    session: int
    #: Bars in the lookback.
    bars: int
    #: One value a column of the scan, in the scan's order.
    values: tuple[float | None, ...]
    #: What is odd about its bars, see `bars/flags.py`; only what is not 0.
    flags: dict[str, int] = field(default_factory=dict)
    #: What the screens ask of it, until all rows are known; 1 and 0 are true and false.
    inputs: tuple[float | None, ...] = ()
    #: Screen -> `hit`, `miss:<term>`, `unknown:<why>` or `filtered:<filter>`; empty until then.
    outcomes: dict[str, str] = field(default_factory=dict)
    #: Screen -> a letter for each of its terms: t is true, f false and u unknown.
    terms: dict[str, str] = field(default_factory=dict)
    #: Place among all rows, as in `rank(roc(63))` -> the row's, None where it has none.
    places: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Why a symbol has no row in a scan."""

    symbol: str
    #: The ledger state: `stale`, `no_data:<why>`, `error:<class>`, `deferred:<why>`, ...
    state: str
    #: A sentence for people.
    reason: str
    #: False while a later try of the same scan may still give a row.
    final: bool = True

    @property
    def is_deferred(self) -> bool:
        """Whether its turn has not come: the budget or a provider that is down has kept it back."""
        return self.state.startswith("deferred:")


Record = Row | Absence


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedRow:
    """A row with its place in the report."""

    row: Row
    #: From 1; rows without a score come last, by symbol.
    rank: int
    #: 0 to 100, None without any component.
    score: float | None
    #: Component -> points that it adds to the score, None where its value is missing.
    contributions: dict[str, float | None]

    @property
    def partial(self) -> bool:
        """Whether the score lacks a component, whose share was dropped."""
        return None in self.contributions.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenResult:
    """What one screen kept."""

    #: All symbols that it keeps, best first.
    hits: tuple[str, ...]
    #: `hit`, `miss:<term>`, `unknown:<why>`, `filtered:<filter>`, `absent` -> symbols; sums to
    #: the universe.
    ledger: dict[str, int]
    #: Hits that the last complete scan of this screen did not have, and the reverse.
    entered: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    #: Number that is ranked among all rows -> how many of them have it.
    ranked_among: dict[str, int] = field(default_factory=dict)
    #: The terms of its rule as they were written.
    terms: tuple[str, ...] = ()
    #: Columns that it is shown with.
    columns: tuple[str, ...] = ()
    #: Most hits that are listed.
    limit: int | None = None
    #: What it is remembered by: its name, and a short hash of its rule.
    key: str = ""

    @property
    def listed(self) -> tuple[str, ...]:
        """The hits that are shown."""
        return self.hits[: self.limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFacts:
    """What is known of a scan apart from its rows."""

    id: str
    source: str
    universe: str
    #: None if the scan failed before its session was known.
    as_of: dt.date | None
    lookback_days: int
    #: Names of the values of each row.
    columns: tuple[str, ...]
    #: Shares of the score's components.
    weights: dict[str, float]
    #: When the scan was asked for, and when its aggregate began.
    asked_at: dt.datetime
    closed_at: dt.datetime
    #: Stage -> seconds; see docs/architecture.md for what each covers.
    stages: dict[str, float] = field(default_factory=dict)
    #: Worker processes of the stack, and threads of each.
    workers: int = 0
    threads_a_worker: int = 0
    #: Processes and threads that served the scan.
    processes: int = 0
    threads: int = 0
    #: Symbols by where their bars came from: hit, fetched, absent, broken, short.
    bars: dict[str, int] = field(default_factory=dict)
    #: Benchmarks of the screens of which there are bars.
    benchmarks: tuple[str, ...] = ()
    #: One sentence if the scan as a whole went wrong.
    message: str = ""
    #: Whether the bars of as_of were forming.
    live: bool = False
    #: Sentences on what the scan could not have, or had to assume.
    notes: tuple[str, ...] = ()
    #: How often the scan was resumed after it had been over.
    revision: int = 0

    def __post_init__(self) -> None:
        if self.asked_at.tzinfo is None or self.closed_at.tzinfo is None:
            raise ValueError(f"scan {self.id}: expected times with their zones")

    @property
    def indicators(self) -> tuple[str, ...]:
        """Names of the values of each row behind the bar itself."""
        return self.columns[len(FIELDS) :]

    @property
    def simulated(self) -> bool:
        """Whether the bars are simulated."""
        return self.source.startswith("simulator")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """One ranked, explained result of a scan."""

    facts: ScanFacts
    state: str
    #: Best first.
    rows: tuple[RankedRow, ...]
    #: In the order of the symbols.
    absences: tuple[Absence, ...]
    #: State -> symbols; sums to the universe.
    ledger: dict[str, int]
    screens: dict[str, ScreenResult]

    @property
    def symbols(self) -> int:
        """Symbols of the universe."""
        return len(self.rows) + len(self.absences)

    def warming(self, ranked: RankedRow) -> tuple[str, ...]:
        """Return the columns whose values in a row would change with more bars of history."""
        return warming(self.facts.indicators, ranked.row.bars)

    def find(self, symbol: str) -> RankedRow | Absence | None:
        """Return what the scan found for `symbol`, or None if it was not in the universe."""
        for ranked in self.rows:
            if ranked.row.symbol == symbol:
                return ranked
        return next((absence for absence in self.absences if absence.symbol == symbol), None)
