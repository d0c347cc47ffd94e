"""The aggregate: all records of a scan come in, one ScanReport goes out.

1. every symbol of the universe gets its record, or becomes deferred (`complete_records`)
2. each screen decides each row, rows are scored and ranked (`rules/verdicts.py`, `rules/score.py`)
3. the scan's ledger and each screen's ledger are counted; each sums to the universe
4. each screen's hits are compared with its last complete scan (`diff.py`)
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final, TypeVar

import numpy as np

from scanner.bars.block import FloatArray
from scanner.results import diff
from scanner.results.report import (
    DEGRADED,
    DONE,
    FAILED,
    SCORED,
    Absence,
    RankedRow,
    Record,
    Row,
    ScanFacts,
    ScanReport,
    ScreenResult,
)
from scanner.rules.outcome import Rows
from scanner.rules.score import COMPONENTS, score
from scanner.rules.screens import HIT, Screen
from scanner.rules.verdicts import Verdict, inputs_as_values, inputs_of, plain_numbers, verdict

_T = TypeVar("_T")

#: Decimals of scores: rows that are equal to this many are ranked by symbol.
_DECIMALS: Final = 6


def complete_records(
    universe: Iterable[str],
    records: Mapping[str, Record],
    waiting: Mapping[str, Record],
    message: str = "",
) -> list[Record]:
    """Return one record a symbol: the final one, else the waiting one, else deferred.

    `message`: why the scan as a whole was stopped, if it was.
    """
    why = "stopped" if message else "unfinished"
    reason = message or "no worker finished this symbol before the scan was closed"
    return [
        records.get(symbol)
        or waiting.get(symbol)
        or Absence(
            symbol=symbol,
            state=f"deferred:{why}",
            reason=reason,
            final=False,
        )
        for symbol in universe
    ]


def why_nothing(records: Sequence[Record]) -> str:
    """Return the reason of a scan without a row in which symbols failed for the moment, else ''."""
    if any(isinstance(one, Row) for one in records):
        return ""
    passing = [one for one in records if isinstance(one, Absence) and not one.final]
    passing.sort(key=lambda absence: not absence.state.startswith("error:"))
    return f"no symbol has a row: {passing[0].reason}" if passing else ""


def aggregate(
    facts: ScanFacts,
    records: Sequence[Record],
    screens: Sequence[Screen],
    last_hits: Mapping[str, Sequence[str]],
    texts: Mapping[str, Mapping[str, str]] | None = None,
) -> ScanReport:
    """Return the report of `records`, one a symbol of the universe.

    `last_hits`: screen -> hits of its last complete scan; a screen without one has no change.
    `texts`: `sector` and others -> symbol -> text, as the universe tells.
    """
    rows = [record for record in records if isinstance(record, Row)]
    absences = sorted(
        (record for record in records if isinstance(record, Absence)),
        key=lambda absence: absence.symbol,
    )
    verdicts = _verdicts(facts, rows, screens, texts or {})
    unlisted = (texts or {}).get("origin", {})
    ranked = _ranked(facts, _decided(rows, verdicts, unlisted))
    return ScanReport(
        facts=facts,
        state=_state(facts, absences, len(rows)),
        rows=ranked,
        absences=tuple(absences),
        ledger=_ledger(len(rows), absences),
        screens={
            screen.name: _screen_result(
                screen, ranked, verdicts[screen.name], len(absences), last_hits.get(screen.name)
            )
            for screen in screens
        },
    )


def _state(facts: ScanFacts, absences: Sequence[Absence], rows: int) -> str:
    if facts.message and not rows:
        return FAILED
    return DONE if all(absence.final for absence in absences) else DEGRADED


def _ledger(scored: int, absences: Iterable[Absence]) -> dict[str, int]:
    counts = Counter(absence.state for absence in absences)
    return {SCORED: scored, **dict(sorted(counts.items()))}


def _column(facts: ScanFacts, rows: Sequence[Row], name: str) -> FloatArray:
    index = facts.columns.index(name)
    values = [row.values[index] for row in rows]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _ranked(facts: ScanFacts, rows: Sequence[Row]) -> tuple[RankedRow, ...]:
    components = {name: _column(facts, rows, name) for name in COMPONENTS.values()}
    scores = score(components, facts.weights)
    totals = np.where(np.isnan(scores.total), -np.inf, np.round(scores.total, _DECIMALS))
    falling = (-totals).tolist()
    order = sorted(range(len(rows)), key=lambda i: (falling[i], rows[i].symbol))
    total, points = (
        plain_numbers(np.round(scores.total[:, np.newaxis], _DECIMALS)),
        plain_numbers(np.round(scores.points, _DECIMALS)),
    )
    return tuple(
        RankedRow(
            row=rows[i],
            rank=rank,
            score=total[i][0],
            contributions=dict(zip(scores.components, points[i], strict=True)),
        )
        for rank, i in enumerate(order, start=1)
    )


def _verdicts(
    facts: ScanFacts,
    rows: Sequence[Row],
    screens: Sequence[Screen],
    texts: Mapping[str, Mapping[str, str]],
) -> dict[str, Verdict]:
    """Return what each screen makes of `rows`, by the inputs that the workers computed."""
    symbols = [row.symbol for row in rows]
    every = Rows(
        symbols=symbols,
        bars=[row.bars for row in rows],
        known=inputs_as_values([row.inputs for row in rows], inputs_of(tuple(screens))),
        texts={name: [of.get(symbol) for symbol in symbols] for name, of in texts.items()},
        benchmarks=facts.benchmarks,
    )
    return {screen.name: verdict(screen, every) for screen in screens}


def _decided(
    rows: Sequence[Row], verdicts: Mapping[str, Verdict], unlisted: Container[str]
) -> list[Row]:
    """Return the rows with the outcomes of all screens, and those marked that no listing has."""
    places = {x: of for one in verdicts.values() for x, of in one.places.items()}
    outcomes = _by_row({name: one.outcomes for name, one in verdicts.items()}, len(rows))
    terms = _by_row(
        {name: one.terms for name, one in verdicts.items() if any(one.terms)}, len(rows)
    )
    decided = zip(rows, outcomes, terms, _by_row(places, len(rows)), strict=True)
    return [
        dataclasses.replace(
            row,
            outcomes=said,
            terms=letters,
            places=placed,
            inputs=(),
            flags=row.flags | {"unlisted": 1} if row.symbol in unlisted else row.flags,
        )
        for row, said, letters, placed in decided
    ]


def _by_row(columns: Mapping[str, Sequence[_T]], rows: int) -> list[dict[str, _T]]:
    """Return a dict of each row's values of `columns`, each of which has one a row."""
    if not columns:
        return [{} for _ in range(rows)]
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _screen_result(
    screen: Screen,
    ranked: Sequence[RankedRow],
    found: Verdict,
    absent: int,
    before: Sequence[str] | None,
) -> ScreenResult:
    outcomes = Counter(found.outcomes)
    hits = _hits(screen, ranked, found.order)
    return ScreenResult(
        hits=hits,
        ledger={HIT: outcomes[HIT], **dict(sorted(outcomes.items())), "absent": absent},
        entered=() if before is None else diff.entered(hits, before),
        left=() if before is None else diff.left(hits, before),
        ranked_among=found.ranked_among,
        terms=tuple(term.text for term in screen.where.terms) if screen.where else (),
        columns=screen.columns,
        limit=screen.limit,
        key=screen.key,
    )


def _hits(
    screen: Screen, ranked: Sequence[RankedRow], order: Mapping[str, float]
) -> tuple[str, ...]:
    """Return the symbols that a screen keeps: by its own number, or by score."""
    hits = [one.row.symbol for one in ranked if one.row.outcomes[screen.name] == HIT]
    if screen.rank_by is not None:
        hits.sort(key=lambda symbol: -order.get(symbol, -math.inf))
    return tuple(hits)
