"""Where reports are kept: `finish_scan` saves one, the views read it.

MemoryReportStore serves a scan without Redis; RedisReportStore is in `redis_store.py`.
"""

from __future__ import annotations

from typing import Protocol

from scanner.results.report import DONE, ScanReport


class ReportStore(Protocol):
    """A store of reports by scan id."""

    def save(self, report: ScanReport) -> None:
        """Keep `report`; a complete one becomes the last of each of its screens, if it is newer."""
        ...

    def load(self, scan_id: str) -> ScanReport | None:
        """Return the report of a scan, or None if there is none (any more)."""
        ...

    def newest(self, count: int = 1) -> list[str]:
        """Return the ids of the newest scans, newest first."""
        ...

    def last_hits(self, source: str, universe: str, screen: str) -> tuple[str, ...] | None:
        """Return the hits of the last complete scan of a universe by `screen`, or None."""
        ...


class MemoryReportStore:
    """Reports in this process."""

    def __init__(self) -> None:
        self._reports: dict[str, ScanReport] = {}
        self._latest: dict[tuple[str, str, str], str] = {}

    def save(self, report: ScanReport) -> None:
        """Keep `report`; a complete one becomes the last of each of its screens."""
        self._reports[report.facts.id] = report
        if report.state == DONE and not report.facts.live:
            for screen in report.screens:
                key = report.facts.source, report.facts.universe, screen
                last = self._reports.get(self._latest.get(key, ""))
                if last is None or last.facts.asked_at <= report.facts.asked_at:
                    self._latest[key] = report.facts.id

    def load(self, scan_id: str) -> ScanReport | None:
        """Return the report of a scan, or None if there is none."""
        return self._reports.get(scan_id)

    def newest(self, count: int = 1) -> list[str]:
        """Return the ids of the newest scans, newest first."""
        asked = sorted(self._reports.values(), key=lambda report: report.facts.asked_at)
        return [report.facts.id for report in asked[::-1][: max(0, count)]]

    def last_hits(self, source: str, universe: str, screen: str) -> tuple[str, ...] | None:
        """Return the hits of the last complete scan of a universe by `screen`, or None."""
        scan_id = self._latest.get((source, universe, screen))
        return None if scan_id is None else self._reports[scan_id].screens[screen].hits
