"""What to do about a scan that is not done: a report comes in, a sentence goes out."""

from __future__ import annotations

from scanner.results.report import DONE, ScanReport


def next_step(report: ScanReport) -> str:
    """Return what to do next; nothing for a scan that is done."""
    if report.state == DONE:
        return ""
    key = "refused the key" in report.facts.message
    first = "start the stack again with another key, then " if key else ""
    if report.symbols:
        return f"{first}`scan resume {report.facts.id}` tries what has no row; the rows are kept"
    return f"{first}scan again: what came is kept"
