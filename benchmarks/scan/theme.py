"""The tables of whole scans, in their order: sizes come in, a table at a time goes out.

A table of another way to get bars is one more module here, beside `cold.py` and `market.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.scan import cold, growth, hours, local, market, peers, warm
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
        yield local.findings(chosen, folder)
        yield from cold.findings(chosen, folder)
        yield market.findings(chosen, folder)
        yield peers.findings(chosen, folder)
        yield growth.findings(chosen, folder)
        yield hours.findings(chosen, folder)
