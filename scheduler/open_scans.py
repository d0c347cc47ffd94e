"""Open scans in a file of this machine: what Redis has lost is found here and said to have failed.

Redis may be emptied while a scan runs; then nothing in it tells of the scan any more.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from scanner.bootstrap import Runtime
from scanner.private_file import write_private
from scanner.results.report import FAILED, FINISHED, ScanFacts, ScanReport
from worker.finish import GONE

log = structlog.get_logger(__name__)

_LOCK: Final = threading.Lock()

#: What the file tells of a scan.
_FIELDS: Final = ("asked_at", "source", "universe")


def remember(runtime: Runtime, scan_id: str) -> None:
    """Note an open scan in the file."""
    progress = runtime.state.progress(scan_id)
    if progress is not None:
        with _LOCK:
            kept = _read(runtime)
            _write(runtime, kept | {scan_id: _told(progress.fields)})


def report_lost(runtime: Runtime) -> None:
    """Report those of the file as failed of which Redis knows nothing; forget what is over."""
    with _LOCK:
        kept = _read(runtime)
        open_scans = runtime.state.open_scans()
        for scan_id in kept.keys() - open_scans.keys():
            progress = runtime.state.progress(scan_id)
            if progress is None:
                log.error("scan was lost", scan=scan_id, cause=GONE)
                _report(runtime, scan_id, kept[scan_id])
            elif progress.state not in FINISHED:  # the list alone has lost it
                open_scans[scan_id] = float(progress.fields.get("deadline", 0.0))
                runtime.state.keep_open(scan_id, open_scans[scan_id])
        now: dict[str, Any] = {}
        for scan_id in open_scans:
            if scan_id in kept:  # also if its state is gone: then the next call reports it
                now[scan_id] = kept[scan_id]
            elif (progress := runtime.state.progress(scan_id)) is not None:
                now[scan_id] = _told(progress.fields)
        if now != kept:
            _write(runtime, now)


def _told(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: fields.get(name, "") for name in _FIELDS}


def _report(runtime: Runtime, scan_id: str, told: Mapping[str, str]) -> None:
    now = time.time()
    ended = {**told, "finished_at": now}
    written = runtime.reports.load(scan_id)
    if written is not None:  # its closer had all of it before
        runtime.state.bury(scan_id, ended | {"message": written.facts.message}, written.state)
        return
    facts = ScanFacts(
        id=scan_id,
        source=told["source"],
        universe=told["universe"],
        as_of=None,
        lookback_days=0,
        columns=runtime.tools.row_columns,
        weights=runtime.settings.score_weights,
        asked_at=dt.datetime.fromtimestamp(float(told["asked_at"] or now), dt.UTC),
        closed_at=dt.datetime.fromtimestamp(now, dt.UTC),
        message=GONE,
    )
    report = ScanReport(facts=facts, state=FAILED, rows=(), absences=(), ledger={}, screens={})
    runtime.reports.save(report)
    runtime.state.bury(scan_id, ended | {"message": GONE})


def _path(runtime: Runtime) -> Path:
    return runtime.settings.home.expanduser() / "open-scans.json"


def _read(runtime: Runtime) -> dict[str, dict[str, str]]:
    """Return what the file tells; nothing if there is none or it cannot be read."""
    try:
        found = orjson.loads(_path(runtime).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {scan_id: told for scan_id, told in found.items() if _is_told(told)}


def _is_told(told: Any) -> bool:
    """Return whether that is what `_told` writes."""
    return isinstance(told, dict) and all(isinstance(told.get(name), str) for name in _FIELDS)


def _write(runtime: Runtime, told: Mapping[str, Mapping[str, str]]) -> None:
    path = _path(runtime)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, orjson.dumps(told))
    except OSError as error:
        log.warning("open scans are not noted", path=str(path), cause=str(error))
