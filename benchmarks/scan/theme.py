"""The tables of whole scans, in their order: sizes come in, a table at a time goes out.

A table of another way to get bars is one more module here, beside `cold.py` and `hours.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.scan import cold, growth, hours, peers, warm
from benchmarks.scan.fleet import alone
from benchmarks.scan.sizes import SIZES
from benchmarks.sizes import Sizes
from benchmarks.tables import Findings


def findings(sizes: Sizes) -> Iterator[Findings]:
    """Yield the tables as they are done."""
    chosen = SIZES[sizes.name]
    alone()
    with tempfile.TemporaryDirectory(prefix="scan-benchmark-") as name:
        folder = Path(name)
        yield from warm.findings(chosen, folder)
        # Cold: by symbol; by session of the whole market is to stand behind it.
        yield from cold.findings(chosen, folder)
        yield peers.findings(chosen, folder)
        yield growth.findings(chosen, folder)
        # Over a day: scans by the hour; the live scan is to stand behind them.
        yield hours.findings(chosen, folder)
