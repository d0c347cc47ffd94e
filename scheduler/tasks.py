"""The tasks of the control worker: what the CLI and beat ask for is handed on."""

from __future__ import annotations

import datetime as dt

from scheduler import beat, dispatch
from scheduler import reconcile as reconciler
from scheduler.open_scans import remember
from worker import runtime
from worker.celery import app


@app.task(name="start_scan")
def start_scan(scan_id: str) -> None:
    """Plan an open scan and put it on the queue."""
    remember(runtime.current(), scan_id)
    dispatch.start_scan(runtime.current(), scan_id)


@app.task(name="resume_scan")
def resume_scan(scan_id: str) -> None:
    """Go on with a scan that was over and has been reopened."""
    remember(runtime.current(), scan_id)
    reconciler.resume(runtime.current(), scan_id)


@app.task(name="sessions_fetched")
def sessions_fetched(scan_id: str) -> None:
    """Go on with a scan whose sessions have come; the reconciler asks for the others again."""
    dispatch.start_scan(runtime.current(), scan_id, ask_again=False)


@app.task(name="tick")
def tick() -> None:
    """Start the scan that is due."""
    beat.tick(runtime.current(), dt.datetime.now(dt.UTC))


@app.task(name="reconcile")
def reconcile() -> None:
    """Close scans that nobody closed."""
    reconciler.reconcile(runtime.current())
