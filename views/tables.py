"""Reports as tables and as plain values: a ScanReport comes in; CLI, web and alerts show it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from scanner.errors import ConfigError
from scanner.results.report import RankedRow, ScanReport
from scanner.timeframe import EXCHANGE_ZONE, day_date

#: Columns of a table if none are asked for.
DEFAULT_SHOWN: Final = (
    "close",
    "return_1",
    "return_21",
    "momentum_252_21",
    "rsi_14",
    "relative_volume_20",
    "distance_high_252",
    "dollar_volume_20",
)
#: Hits of a screen that its line names.
_FIRST_HITS: Final = 5

#: What a row has beside its columns.
PLACE: Final = ("rank", "symbol", "score")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of values, in the order in which they are shown."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    #: Symbols whose score lacks a component, whose share was dropped.
    partial: frozenset[str] = frozenset()
    #: How many rows there are to be shown, and the option of `scan show` that chose them.
    of: int = 0
    option: str = ""
    #: Symbol -> columns whose values would change with more bars of history.
    warming: Mapping[str, Collection[str]] = field(default_factory=dict)

    def warming_in(self, row: tuple[Any, ...]) -> tuple[str, ...]:
        """Return which columns of this table are warming in one of its rows."""
        warming = self.warming.get(row[self.columns.index("symbol")], ())
        return tuple(name for name in self.columns if name in warming)


def values_of(report: ScanReport, ranked: RankedRow) -> dict[str, Any]:
    """Return all that a row holds: rank, symbol, score, session, bars and every column."""
    return {
        "rank": ranked.rank,
        "symbol": ranked.row.symbol,
        "score": ranked.score,
        "session": day_date(ranked.row.session).isoformat(),
        "bars": ranked.row.bars,
        "warming": list(report.warming(ranked)),
        "flags": ranked.row.flags,
        "contributions": ranked.contributions,
        **dict(zip(report.facts.columns, ranked.row.values, strict=True)),
    }


def table_of(
    report: ScanReport,
    *,
    columns: Sequence[str] = DEFAULT_SHOWN,
    sort: str = "",
    top: int | None = None,
    screen: str = "",
) -> Table:
    """Return rank, symbol, score and `columns` of the first `top` rows by `sort`.

    A name behind a minus sorts downwards, without one upwards; missing values come last. Without
    `sort` rows are in the order of the scan, or of the hits of `screen`, which are shown alone.
    ConfigError if a column or the screen does not exist.
    """
    ranked = _listed(report, screen)
    name, down = sort.removeprefix("-") or "rank", sort.startswith("-")
    known = (*PLACE, "session", "bars", "warming", "flags", "contributions", *report.facts.columns)
    for wanted in (*columns, name):
        if wanted not in known:
            raise ConfigError(
                f"no column {wanted!r} in this scan: SCANNER_COLUMNS={wanted} adds it to the next "
                "one, if it is one of `scan indicators`"
            )
    if name in {"warming", "flags", "contributions"}:
        raise ConfigError(f"{name} has no order to sort by: expected another column")
    if top is not None and top < 0:
        raise ConfigError(f"expected a number of rows of 0 or more, got {top}")
    rows = [values_of(report, one) for one in ranked]
    present = [row for row in rows if row[name] is not None]
    missing = [row for row in rows if row[name] is None]
    if sort:
        present.sort(key=lambda row: row[name], reverse=down)
    shown = tuple(dict.fromkeys((*PLACE, *columns)))
    return Table(
        columns=shown,
        rows=tuple(tuple(row[c] for c in shown) for row in (present + missing)[:top]),
        of=len(rows),
        option=f" --screen {screen}" if screen else "",
        partial=frozenset(ranked.row.symbol for ranked in report.rows if ranked.partial),
        warming={ranked.row.symbol: report.warming(ranked) for ranked in report.rows},
    )


def _listed(report: ScanReport, screen: str) -> Sequence[RankedRow]:
    """Return the rows of a report, or those that a screen lists, in its order."""
    if not screen:
        return report.rows
    if screen not in report.screens:
        known = ", ".join(report.screens)
        raise ConfigError(f"no screen {screen!r} in this scan: it had {known}")
    rows = {one.row.symbol: one for one in report.rows}
    return [rows[symbol] for symbol in report.screens[screen].listed]


def screen_line(report: ScanReport, name: str) -> str:
    """Return what a screen kept in one line: how many hits, the first of them, ranks among whom."""
    screen = report.screens[name]
    count = screen.ledger.get("hit", len(screen.hits))
    hits = "1 hit" if count == 1 else f"{count} hits"
    among = "".join(f", {term} among {rows}" for term, rows in screen.ranked_among.items())
    first = " ".join(screen.listed[:_FIRST_HITS]) if screen.terms else ""
    more = " ..." if first and len(screen.listed) > _FIRST_HITS else ""
    return f"screen {name}: {hits}{among}{': ' if first else ''}{first}{more}"


def summary_of(report: ScanReport) -> dict[str, Any]:
    """Return a scan without its rows, as plain values for JSON."""
    facts = report.facts
    return {
        "id": facts.id,
        "state": report.state,
        "simulated": facts.simulated,
        "live": facts.live,
        "source": facts.source,
        "as_of": facts.as_of and facts.as_of.isoformat(),
        "universe": facts.universe,
        "symbols": report.symbols,
        "ledger": report.ledger,
        "stages": facts.stages,
        "hits": {name: list(screen.listed) for name, screen in report.screens.items()},
        "screens": {
            name: {
                "ledger": screen.ledger,
                "entered": list(screen.entered),
                "left": list(screen.left),
                "ranked_among": screen.ranked_among,
            }
            for name, screen in report.screens.items()
        },
        "bars": facts.bars,
        "workers": facts.workers,
        "threads_a_worker": facts.threads_a_worker,
        "processes": facts.processes,
        "threads": facts.threads,
        "asked_at": facts.asked_at.isoformat(),
        "closed_at": facts.closed_at.isoformat(),
        "message": facts.message,
        "notes": list(facts.notes),
        "revision": facts.revision,
    }


def age_of(report: ScanReport, now: dt.datetime) -> str:
    """Return the data's session and its age in days, for people."""
    if report.facts.as_of is None:
        return "no session"
    days = max(0, (now.astimezone(EXCHANGE_ZONE).date() - report.facts.as_of).days)
    age = {0: "today", 1: "1 day old"}.get(days, f"{days} days old")
    return f"as of {report.facts.as_of} ({age})"


def ledger_line(report: ScanReport) -> str:
    """Return the ledger in one line, with its sum."""
    parts = [f"{count} {state}" for state, count in report.ledger.items() if count]
    return f"{' + '.join(parts) or '0'} = {report.symbols} symbols"


def compact(value: Any, column: str = "") -> str:
    """Return a value as a table shows it: 1.23M, +4.5%, an em dash where it is missing."""
    if value is None:
        return "—"
    if not isinstance(value, float):
        return " ".join(value) if isinstance(value, list) else str(value)
    if column.startswith(("return_", "momentum_", "distance_")):
        return f"{value:+.1%}"
    if column.startswith("cdl_"):
        return f"{value:.0f}"
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if abs(value) >= size * 0.999995:
            return f"{value / size:.2f}{unit}"
    return f"{value:,.4f}" if abs(value) < 0.99995 else f"{value:,.2f}"
