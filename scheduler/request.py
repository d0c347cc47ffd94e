"""How a scan is asked for: a ScanSpec comes in, the id of an open, planned scan goes out.

Any process may ask; the control worker goes on from there (`dispatch.py`).
"""

from __future__ import annotations

import datetime as dt
import secrets

from scanner.bars.polygon import LISTING_SECONDS
from scanner.bootstrap import Runtime
from scanner.spec import ScanSpec


def spec_of(
    runtime: Runtime,
    *,
    universe: str = "",
    as_of: dt.date | None = None,
    screens: str = "",
    live: bool = False,
) -> ScanSpec:
    """Return the request that the settings make, with what differs from them.

    `screens`: TOML of those that are asked instead of the settings'. Nothing is read here, so that
    what is wrong with a file is said by a scan that has failed.
    """
    settings = runtime.settings
    return ScanSpec(
        source=runtime.source,
        universe=universe or settings.universe,
        as_of=as_of,
        lookback_days=None if settings.lookback_days == "auto" else settings.lookback_days,
        batch_size=settings.batch_size,
        screens=screens,
        fetch=settings.fetch,
        live=live,
    )


def request_scan(runtime: Runtime, spec: ScanSpec) -> str:
    """Open a planned scan of a universe and return its id; ScanRunning if one runs.

    A real provider's universe may be listed beyond the deadline.
    """
    now = dt.datetime.now(dt.UTC)
    scan_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    listing = LISTING_SECONDS if runtime.settings.provider == "polygon" else 0.0
    deadline = now.timestamp() + runtime.settings.deadline + listing
    runtime.state.open(scan_id, spec, deadline)
    return scan_id
