"""The table of scans through a provider that misbehaves."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from benchmarks.faults.scenarios import SCENARIOS, UNDISTURBED, Scenario
from benchmarks.faults.trial import TASK_BUDGET, THREADS, WORKERS, Outcome, Trial, trial
from benchmarks.scan.fleet import alone
from benchmarks.sizes import Sizes
from benchmarks.tables import Findings, duration
from scanner.results.report import DONE

#: Symbols of the market, by the name of the sizes.
_SYMBOLS: Final = {"full": 500, "quick": 60}

#: Undisturbed scans of which the median counts; of each fault there is one scan.
_PLAIN_RUNS: Final = 5

#: Heads of the columns of `cells`.
HEADS: Final = (
    "fault",
    "fetch",
    "what the scanner does",
    "ends as",
    "rows",
    "seconds",
    "undisturbed",
    "rows after `scan resume`",
)


def findings(sizes: Sizes) -> Findings:
    """Return the table of all scenarios."""
    alone()
    symbols = _SYMBOLS[sizes.name]
    with (
        tempfile.TemporaryDirectory(prefix="fault-benchmark-") as name,
        trial(Path(name), symbols=symbols) as one,
    ):
        plain = {scenario.fetch: _usual(one, scenario) for scenario in UNDISTURBED}
        rows = [_row(one, scenario, plain[scenario.fetch]) for scenario in SCENARIOS]
    note = (
        f"{symbols} symbols, 69 sessions, {WORKERS} workers of {THREADS} threads, 10 ms a "
        f"request, the reconciler each second; SCANNER_TASK_BUDGET={TASK_BUDGET}, so that a try "
        f"has {TASK_BUDGET / 3:.1f} s. One scan of each fault, beside the median of "
        f"{_PLAIN_RUNS}. rows: share of the rows of an undisturbed scan."
    )
    return Findings(
        title="Scans through a provider that misbehaves", heads=HEADS, rows=rows, notes=[note]
    )


def _usual(one: Trial, scenario: Scenario) -> Outcome:
    """Return the scan of median time, after one that warms up."""
    one.scan(scenario)
    found = [one.scan(scenario) for _ in range(_PLAIN_RUNS)]
    return sorted(found, key=lambda outcome: outcome.seconds)[_PLAIN_RUNS // 2]


def _row(one: Trial, scenario: Scenario, plain: Outcome) -> tuple[str, ...]:
    found = one.scan(scenario)
    resumable = found.report.state != DONE and found.report.symbols
    return cells(scenario, found, plain, one.resume(found.report) if resumable else None)


def cells(
    scenario: Scenario, found: Outcome, plain: Outcome, resumed: Outcome | None
) -> tuple[str, ...]:
    """Return a line of the table."""
    return (
        scenario.what,
        scenario.fetch,
        scenario.does,
        found.report.state,
        f"{found.coverage(plain.report):.1%}",
        duration(found.seconds),
        duration(plain.seconds),
        f"{resumed.coverage(plain.report):.1%}" if resumed else "-",
    )
