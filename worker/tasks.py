"""The tasks of a worker: messages come in, are handed on, and small receipts go out."""

from __future__ import annotations

from scanner.spec import Batch
from worker import runtime
from worker.celery import app
from worker.finish import finish
from worker.guard import record_batch


@app.task(name="scan_symbols")
def scan_symbols(scan_id: str, batch_no: int, symbols: list[str]) -> dict[str, int]:
    """Scan a batch; the receipt is the same however often and wherever the task runs."""
    batch = Batch(scan_id=scan_id, number=batch_no, symbols=tuple(symbols))
    record_batch(runtime.current, batch, on_stop=finish_scan.delay)
    return {"batch": batch_no, "symbols": len(symbols)}


@app.task(name="finish_scan")
def finish_scan(scan_id: str) -> None:
    """Close a scan if it is complete."""
    finish(runtime.current(), scan_id)
