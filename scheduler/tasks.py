"""The tasks of the control worker: what the CLI and beat ask for is handed on."""

from __future__ import annotations

import datetime as dt
from typing import Any

from celery import Task
from celery.signals import worker_ready

from scheduler import beat, dispatch
from scheduler import reconcile as reconciler
from scheduler.fetch import most_came
from scheduler.open_scans import remember
from scheduler.take_up import note_planner, take_up_at_start
from worker import runtime
from worker.celery import app
from worker.patience import patiently
from worker.tasks import finish_scan


@app.task(name="start_scan", bind=True)
def start_scan(self: Task, scan_id: str) -> None:
    """Plan an open scan and put it on the queue."""
    current, node = runtime.current(), self.request.hostname or ""

    def start() -> None:
        remember(current, scan_id)
        note_planner(current, scan_id, node)
        spec = current.state.spec(scan_id)
        own = current if spec is None else runtime.matching(current, spec.source)
        dispatch.start_scan(own, scan_id)

    patiently(start)


@app.task(name="resume_scan")
def resume_scan(scan_id: str) -> None:
    """Go on with a scan that was over and has been reopened."""
    current = runtime.current()
    patiently(lambda: remember(current, scan_id))
    patiently(lambda: reconciler.resume(current, scan_id))


@app.task(name="sessions_fetched")
def sessions_fetched(scan_id: str) -> None:
    """Go on with a scan whose sessions have come.

    A few that have not are asked for at once, more of them by the reconciler.
    """
    current = runtime.current()

    def go_on() -> None:
        again = most_came(current, scan_id)
        dispatch.start_scan(current, scan_id, ask_again=again)

    patiently(go_on)


@app.task(name="tick")
def tick() -> None:
    """Start the scan that is due."""
    scan_id = beat.tick(runtime.current(), dt.datetime.now(dt.UTC))
    if scan_id is not None:
        start_scan.delay(scan_id)


@app.task(name="reconcile")
def reconcile() -> None:
    """Close scans that nobody closed."""
    reconciler.reconcile(runtime.current())


@worker_ready.connect(weak=False)
def _take_up(sender: Any, **_: Any) -> None:
    take_up_at_start(runtime.current, sender.hostname, start_scan.delay, finish_scan.delay)
