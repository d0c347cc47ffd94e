"""Growth: markets of many sizes block by block, the seconds and the memory that they take.

Each market runs in a process of its own, whose peak memory is read when it is done.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
from pathlib import Path
from typing import Final

from benchmarks import environment, market, timing
from benchmarks.columns import TA_COLUMNS
from benchmarks.sizes import Sizes
from benchmarks.tables import Findings, duration
from scanner.indicators.compute import compute

_HEADS: Final = ("symbols", "sessions", "time", "seconds per 1,000 symbols", "peak memory")


def findings(sizes: Sizes) -> Findings:
    """Return the table; sizes take turns, as contenders do."""
    rows = []
    for sessions in sizes.sessions:
        turns: dict[int, list[tuple[float, float]]] = {count: [] for count in sizes.markets}
        for _ in range(sizes.runs):
            for count, measured in turns.items():
                measured.append(environment.child("benchmarks.scale", count, sessions))
        rows += [_cells(count, sessions, measured) for count, measured in turns.items()]
    note = (
        "Peak memory is that of the whole process: Python, numpy and what a worker imports too. "
        "Making the bars is not timed."
    )
    return Findings(
        title=f"All {len(TA_COLUMNS)} columns of markets of many sizes",
        heads=_HEADS,
        rows=rows,
        notes=[note],
    )


def _cells(count: int, sessions: int, measured: list[tuple[float, float]]) -> tuple[str, ...]:
    spent, peak = (statistics.median(values) for values in zip(*measured, strict=True))
    thousand = f"{spent / count * 1e3:.3f}"
    return (f"{count:,}", str(sessions), duration(spent), thousand, f"{peak / 1e6:.0f} MB")


def measure(symbols: int, sessions: int) -> tuple[float, float]:
    """Return the seconds that computing takes, and the process' peak memory in bytes."""
    names = list(TA_COLUMNS)
    spent = 0.0
    compute(next(market.blocks(min(symbols, market.BLOCK), sessions)), names)
    for block in market.blocks(symbols, sessions):
        spent += timing.seconds(lambda block=block: compute(block, names))
    return spent, _peak()


def _peak() -> float:
    """Return the peak memory of this process in bytes.

    The kernel's number for this program alone: on Linux ru_maxrss begins with the peak of the
    process that started it.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    found = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return 1024.0 * (found[0] if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    environment.as_worker()
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
