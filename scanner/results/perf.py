"""The one line that says how fast a scan was: a report comes in, a line of text goes out."""

from __future__ import annotations

from scanner.results.report import ScanReport


def perf_line(report: ScanReport) -> str:
    """Return the `[SCAN PERF]` line of a scan: symbols, processes x threads, and seconds."""
    workers, threads = report.facts.workers, report.facts.threads_a_worker
    seconds = report.facts.stages.get("total", 0.0)
    each = seconds / max(1, report.symbols)
    return (
        f"[SCAN PERF] symbol engine: {report.symbols} symbols via celery({workers}x{threads}) "
        f"in {seconds:.2f}s ({each:.3f}s/symbol)"
    )
