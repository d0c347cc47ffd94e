"""The tasks of a worker: messages come in, are handed on, and small receipts go out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from celery import Task, chord
from celery.signals import worker_ready

from scanner.bootstrap import Runtime
from scanner.spec import Batch, Fetch
from scanner.timeframe import day_date
from worker import runtime
from worker.celery import app
from worker.finish import finish
from worker.guard import guarded, guarded_sample, record_batch, redelivered
from worker.market import Wanted, keep_session, keep_splits
from worker.patience import patiently
from worker.rounds import second_round
from worker.take_over import HandOuts, take_over_at_start


@app.task(name="scan_symbols", bind=True)
def scan_symbols(
    self: Task, scan_id: str, batch_no: int, symbols: list[str], deaths: int | None = None
) -> dict[str, int]:
    """Scan a batch; the receipt is the same however often and wherever the task runs.

    `deaths`: of a batch that was given out again, how many processes it has ended. A block that is
    delivered once more may have ended one: its symbols are given out alone.
    """
    before = bool((self.request.delivery_info or {}).get("redelivered"))
    again = before or deaths is not None
    node = self.request.hostname or ""
    batch = Batch(
        scan_id=scan_id, number=batch_no, symbols=tuple(symbols), deaths=deaths or 0, again=again
    )
    receipt = {"batch": batch_no, "symbols": len(symbols)}
    if len(symbols) > 1 and before:
        redelivered(runtime.current, batch, node, scan_symbols.delay)
    else:
        record_batch(runtime.current, batch, node, finish_scan.delay)
    return receipt


@app.task(name="fetch_session", bind=True)
def fetch_session(self: Task, scan_id: str, wanted: dict[str, Any]) -> dict[str, int]:
    """Fetch a session of the whole market for a planned scan."""
    asked = Wanted(**wanted)
    what = day_date(asked.session).isoformat()
    fetch = Fetch(scan_id=scan_id, what=what, task=self.name, arguments=(wanted,))
    _fetch(self, fetch, lambda current: keep_session(current, asked))
    return {"session": asked.session}


@app.task(name="fetch_splits", bind=True)
def fetch_splits(
    self: Task, scan_id: str, first: str, last: str, asked_at: float
) -> dict[str, str]:
    """List the splits that were executed from `first` to `last` for a planned scan."""
    span = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    arguments = (first, last, asked_at)
    fetch = Fetch(scan_id=scan_id, what="splits", task=self.name, arguments=arguments)
    _fetch(self, fetch, lambda current: keep_splits(current, *span, asked_at))
    return {"splits": last}


def _fetch(task: Task, fetch: Fetch, work: Callable[[Runtime], None]) -> None:
    node = task.request.hostname or ""
    guarded(runtime.current, fetch, node, work, on_end=finish_scan.delay)


@app.task(name="compare_sample")
def compare_sample(scan_id: str, symbols: list[str]) -> None:
    """Compare some symbols of a scan whose bars came by session with fetches of their own."""
    guarded_sample(runtime.current, scan_id, symbols)


@app.task(name="finish_scan")
def finish_scan(scan_id: str) -> None:
    """Close a scan if it is complete; else try once more at once what was tried in vain."""
    current = runtime.current()
    if patiently(lambda: finish(current, scan_id)) is None:
        patiently(lambda: second_round(current, scan_id, scan_symbols.delay))


def fetch_again(scan_id: str, fetches: Sequence[Fetch]) -> None:
    """Do again what a planned scan has lost, and go on with the scan."""
    # A list would leave a subscription behind for each part.
    header = (
        app.signature(one.task, args=(scan_id, *one.arguments), immutable=True) for one in fetches
    )
    chord(header)(app.signature("sessions_fetched", args=(scan_id,), immutable=True))


def hand_outs() -> HandOuts:
    """Return how what a dead process has left goes on."""
    return HandOuts(publish=scan_symbols.delay, close=finish_scan.delay, fetch=fetch_again)


@worker_ready.connect(weak=False)
def _take_over(sender: Any, **_: Any) -> None:
    take_over_at_start(runtime.current, sender.hostname, hand_outs())
