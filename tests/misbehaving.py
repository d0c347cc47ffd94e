"""Symbols that misbehave in a worker with this module: the file FAULTS names says which, and how.

The file is read anew for each block, a line a symbol: `SYMBOL KIND`, or `* SECONDS` for all.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from scanner import pipeline
from worker.celery import app

_scan_block = pipeline._scan_block


def faults() -> dict[str, str]:
    """Return what the file says now."""
    path = Path(os.environ["FAULTS"])
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split() for line in lines)


def _misbehaving(symbols, request, tools, result):
    found = faults()
    if "*" in found:
        time.sleep(float(found["*"]))
    for symbol in symbols:
        if symbol in found:
            _misbehave(symbol, found[symbol])
    return _scan_block(symbols, request, tools, result)


def _misbehave(symbol: str, kind: str) -> None:
    if kind == "error":
        raise ValueError(f"{symbol}: made up")
    if kind == "memory":
        raise MemoryError(f"{symbol}: made up")
    if kind == "exit":
        sys.exit(f"{symbol}: made up")
    while kind == "loop":
        time.sleep(0.01)


@app.task(name="leak")
def leak() -> None:
    """Escape the thread of a task, as what the tasks of the scanner catch never does."""
    raise SystemExit


pipeline._scan_block = _misbehaving
