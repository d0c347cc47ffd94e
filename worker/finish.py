"""The end of a scan: its records come in, its report and its last state go out, once.

Called by the chord's body and by the reconciler, in any order and any number of times.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Final

import orjson
import structlog

from scanner.bootstrap import Runtime
from scanner.results.aggregate import aggregate, complete_records, why_nothing
from scanner.results.perf import perf_line
from scanner.results.redis_fetch import UNFETCHED
from scanner.results.redis_records import ScanProgress
from scanner.results.redis_store import with_end
from scanner.results.report import RUNNING, ScanFacts, ScanReport
from scanner.rules.screens import Screen
from scanner.timeframe import day_date
from worker.rounds import unfinished

log = structlog.get_logger(__name__)

#: Why a scan has failed whose symbols or state are not in Redis any more.
GONE: Final = "the scan's state has gone from Redis: it was emptied, or lost its data; scan again"


def finish(runtime: Runtime, scan_id: str, *, at_deadline: bool = False) -> ScanReport | None:
    """Close a scan and return its report; None if another one did, or it has to go on.

    Before its deadline a scan goes on while symbols have no record, were deferred, or were tried
    in vain only once.
    """
    progress = runtime.state.progress(scan_id)
    if progress is None:
        log.error("scan is gone", scan=scan_id)
        runtime.state.forget_open(scan_id)
        return None
    if not at_deadline and progress.state == RUNNING and _unfinished(runtime, scan_id, progress):
        return None
    closed_at = runtime.state.take_closing(scan_id)
    return None if closed_at is None else _close(runtime, scan_id, closed_at)


def _unfinished(runtime: Runtime, scan_id: str, progress: ScanProgress) -> bool:
    if progress.recorded == progress.total:
        return False
    return bool(unfinished(runtime, scan_id, progress).symbols)


def _close(runtime: Runtime, scan_id: str, closed_at: float) -> ScanReport | None:
    started = time.perf_counter()
    progress = runtime.state.progress(scan_id)
    if progress is None:  # since it began to close: the reconciler knows of it
        return None
    fields = progress.fields
    revision = int(fields.get("revision", 0))
    written = runtime.reports.load(scan_id)
    if written is not None and written.facts.revision == revision:
        runtime.state.finish(scan_id, written.state, {"finished_at": time.time()})
        return written
    found = runtime.state.collect(scan_id)
    message = fields.setdefault("message", "" if "last" in fields else _not_planned(fields))
    if len(found.universe) != progress.total:
        message = GONE
    records = complete_records(found.universe, found.records, found.waiting, message)
    fields["message"] = message or why_nothing(records)
    rules = runtime.state.rules(scan_id)
    tools = runtime.tools_of(rules)
    facts = dataclasses.replace(
        _facts(runtime, scan_id, closed_at, fields),
        columns=tools.row_columns,
        benchmarks=rules.benchmarks,
    )
    report = aggregate(
        facts,
        records,
        tools.screens,
        _last_hits(runtime, facts, tools.screens),
        runtime.state.texts(scan_id),
    )
    spent = time.perf_counter() - started
    runtime.reports.save(report)
    # Not in the report itself, which is the same bytes whoever makes it.
    timed = {
        "seconds:aggregate": round(spent, 4),
        "seconds:total": round(closed_at - facts.asked_at.timestamp() + spent, 4),
    }
    runtime.state.finish(scan_id, report.state, {"finished_at": time.time(), **timed})
    report = with_end(report, timed)
    log.info(perf_line(report), scan=scan_id, state=report.state, **report.facts.stages)
    return report


def _not_planned(fields: Mapping[str, str]) -> str:
    """Return why a scan had no batches at its deadline."""
    if "market_now" not in fields:
        return "the scan was not planned before its deadline: does a control worker run?"
    done, error = fields.get("sessions_done", "0"), fields.get("fetch_error", "")
    return (
        f"{done} of {fields.get('sessions', '?')} requests for sessions of the market were "
        f"answered before the deadline{': ' + error if error else ''}"
    )


def _last_hits(
    runtime: Runtime, facts: ScanFacts, screens: Sequence[Screen]
) -> dict[str, tuple[str, ...]]:
    """Return the last hits of each screen.

    None for a scan that went wrong as a whole, or that was resumed: others came between.
    """
    if facts.message or facts.revision:
        return {}
    found = {
        screen.name: runtime.reports.last_hits(facts.source, facts.universe, screen.key)
        for screen in screens
    }
    return {name: hits for name, hits in found.items() if hits is not None}


def _facts(runtime: Runtime, scan_id: str, closed_at: float, fields: dict[str, str]) -> ScanFacts:
    asked_at = float(fields.get("asked_at", closed_at))
    threads = [name for name in fields if name.startswith("by:")]
    newest = int(fields.get("live", 0)) or int(fields.get("last", 0))
    return ScanFacts(
        id=scan_id,
        source=fields.get("source", runtime.source),
        universe=fields.get("universe", ""),
        as_of=day_date(newest) if newest else None,
        lookback_days=int(fields.get("last", 0)) - int(fields.get("first", 0)),
        columns=runtime.tools.row_columns,
        weights=runtime.settings.score_weights,
        asked_at=dt.datetime.fromtimestamp(asked_at, dt.UTC),
        closed_at=dt.datetime.fromtimestamp(closed_at, dt.UTC),
        stages=_stages(fields, max(1, len(threads))),
        workers=runtime.settings.workers,
        threads_a_worker=runtime.settings.threads,
        processes=len({name.rsplit(":", 1)[0] for name in threads}),
        threads=len(threads),
        bars={
            name.removeprefix("bars:"): int(float(value))
            for name, value in sorted(fields.items())
            if name.startswith("bars:")
        },
        message=fields.get("message", ""),
        live=bool(int(fields.get("live", 0))),
        revision=int(fields.get("revision", 0)),
        notes=(*orjson.loads(fields.get("notes", "[]")), *_unfetched(fields)),
    )


def _unfetched(fields: Mapping[str, str]) -> list[str]:
    """Return what could not be fetched again for a scan that went on with what was kept."""
    if not orjson.loads(fields.get("market", "{}")).get("grouped"):
        return []
    lacking = {
        name.removeprefix(UNFETCHED): why
        for name, why in sorted(fields.items())
        if name.startswith(UNFETCHED)
    }
    return [
        f"the {'' if what == 'splits' else 'session '}{what} could not be fetched again, what was "
        f"kept is used: {why}"
        for what, why in lacking.items()
    ]


def _stages(fields: dict[str, str], threads: int) -> dict[str, float]:
    """Return wall seconds of plan and enqueue, and seconds a worker thread of the others."""
    wall = {name: float(fields.get(f"seconds:{name}", 0.0)) for name in ("plan", "enqueue")}
    shared = {
        name: float(fields.get(f"seconds:{name}", 0.0)) / threads
        for name in ("bars", "indicators", "decide", "rows")
    }
    return {name: round(spent, 4) for name, spent in (wall | shared).items()}
