"""A layer of series in each worker process: how many it answers in full scans, what it gives."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks import timing
from benchmarks.scan import scans
from benchmarks.scan.fleet import Fleet, fleet
from benchmarks.scan.sizes import ScanSizes
from benchmarks.scan.warm import fill
from benchmarks.tables import Findings, duration


def findings(sizes: ScanSizes, folder: Path) -> Findings:
    """Return the table; fleets with layers of several sizes are all up and take turns."""
    days, _ = next(iter(sizes.days.items()))
    rates: dict[str, list[float]] = {}

    def spent(most: str, one: Fleet) -> float:
        done = scans.scan(one, scans.spec(one, days))
        rates.setdefault(most, []).append(done.bars.get("local", 0) / sum(done.bars.values()))
        return done.seconds

    with ExitStack() as up:
        fleets: dict[str, Fleet] = {}
        for most in sizes.local_bars:
            place = folder / f"local-{most}"
            url = next(iter(fleets.values())).url if fleets else None
            options = {"simulator_url": url} if url else {}
            one = up.enter_context(
                fleet(
                    place,
                    workers=sizes.workers,
                    simulator_symbols=sizes.symbols,
                    local_bars=most,
                    **options,
                )
            )
            fleets[str(most)] = one
            fill(one, days, sizes)
        median = timing.turns(
            {most: partial(spent, most, one) for most, one in fleets.items()}, sizes.runs
        )
    rows = [
        (most, f"{sum(rates[most][1:]) / len(rates[most][1:]):.0%}", duration(median[most]))
        for most in fleets
    ]
    return Findings(
        title=f"Series kept by each of {sizes.workers} processes, a warm scan of "
        f"{sizes.symbols:,} symbols",
        heads=("SCANNER_LOCAL_BARS", "answered by the process", "time"),
        rows=rows,
        notes=["Any worker may get any block, so that a process often sees others than before."],
    )
