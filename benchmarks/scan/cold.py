"""Cold scans: nothing is cached, and each symbol costs a request that takes its time.

The ancestor's table stands here too: its profiles and its lookbacks, cold and warm.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import timing
from benchmarks.scan import scans
from benchmarks.scan.fleet import Fleet, fleet
from benchmarks.scan.sizes import ScanSizes
from benchmarks.tables import Comparison, Findings, compared

#: What a scan may take of the time that its requests alone take, by task of one symbol and of more.
_MOST_SINGLE: Final = 1.2
_MOST_BLOCKS: Final = 1.1


def findings(sizes: ScanSizes, folder: Path) -> Iterator[Findings]:
    """Yield the table of cold scans and the ancestor's."""
    slow = {"simulator_symbols": sizes.symbols, "simulator_latency": sizes.latency}
    with fleet(folder / "cold", workers=sizes.workers, **slow) as full:
        yield _by_symbol(full, sizes)
        with fleet(
            folder / "free",
            profile="free",
            simulator_url=full.url,
            simulator_symbols=sizes.symbols,
        ) as free:
            yield _ancestor(free, full, sizes)


def _by_symbol(one: Fleet, sizes: ScanSizes) -> Findings:
    days, sessions = next(iter(sizes.days.items()))
    threads = one.settings.workers * one.settings.threads
    single = scans.spec(one, days)
    blocks = scans.spec(one, days, batch_size=sizes.block)
    median = timing.turns(
        {
            "blocks": partial(scans.cold, one, blocks),
            "single": partial(scans.cold, one, single),
        },
        sizes.long_runs,
    )
    ideal = sizes.symbols * sizes.latency / threads
    cases = {
        "single": ("auto: a symbol a task", _MOST_SINGLE),
        "blocks": (f"blocks of {sizes.block} symbols", _MOST_BLOCKS),
    }
    rows = [
        Comparison(
            what=what,
            sessions=sessions,
            ours=median[name],
            beside="requests alone",
            theirs=ideal,
            most=most,
        )
        for name, (what, most) in cases.items()
    ]
    note = (
        f"Each request takes {sizes.latency * 1e3:g} ms, {threads} threads ask, nothing limits the "
        f"rate. Requests alone: symbols x {sizes.latency:g} s / {threads}. "
        f"Medians of {sizes.long_runs}."
    )
    return compared(f"A cold scan of {sizes.symbols:,} symbols, by symbol", rows, [note])


def _ancestor(free: Fleet, full: Fleet, sizes: ScanSizes) -> Findings:
    """Return the table of profiles and lookbacks; each cold scan fills the cache for a warm one."""
    longer, shorter = sizes.ancestor_days
    cases = {
        f"free, {longer} days": (free, longer),
        f"pro_plus, {longer} days": (full, longer),
        f"pro_plus, {shorter} days": (full, shorter),
    }
    colds = timing.turns(
        {
            name: partial(scans.cold, one, scans.spec(one, days))
            for name, (one, days) in cases.items()
        },
        sizes.long_runs,
    )
    warms: dict[str, float] = {}
    for days in (longer, shorter):
        # Bars of more days would answer for fewer, so that each lookback has its own turn.
        those = {name: case for name, case in cases.items() if case[1] == days}
        for one, _ in those.values():
            scans.cold(one, scans.spec(one, days, batch_size=sizes.block))
        warms |= timing.turns(
            {
                name: partial(scans.warm, one, scans.spec(one, days))
                for name, (one, _) in those.items()
            },
            sizes.runs,
        )
    first = next(iter(cases))
    rows = [
        Comparison(
            what=f"{kind}: {name}",
            sessions=_sessions(one, days),
            ours=median[name],
            beside=first,
            theirs=median[first],
        )
        for kind, median in (("cold", colds), ("warm", warms))
        for name, (one, days) in cases.items()
    ]
    note = (
        f"free: {free.settings.workers} workers x {free.settings.threads} threads; pro_plus: "
        f"{full.settings.workers} x {full.settings.threads}. The simulator does not limit the "
        "rate: with the 5 requests a minute of a free plan the provider's clock decides, not the "
        "scanner."
    )
    return compared("Profiles and lookbacks", rows, [note])


def _sessions(one: Fleet, days: int) -> int:
    """Return the bars of a symbol that has one on each session."""
    found = scans.report(one, scans.scan(one, scans.spec(one, days, batch_size=64)).id)
    return max(ranked.row.bars for ranked in found.rows)
