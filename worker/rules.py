"""The rules of a scan: its id comes in, what decides its rows goes out, read once a process."""

from __future__ import annotations

import functools

from scanner.bootstrap import Runtime
from scanner.results.redis_records import ScanRules
from scanner.results.redis_state import RedisScanState


@functools.lru_cache(maxsize=8)
def _read(state: RedisScanState, scan_id: str) -> ScanRules:
    return state.rules(scan_id)


def rules_of(runtime: Runtime, scan_id: str) -> ScanRules:
    """Return the rules of a scan that has been planned, and so has them."""
    return _read(runtime.state, scan_id)
