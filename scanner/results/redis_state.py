"""The state of a scan in Redis: planned -> running -> closing -> done | degraded | failed.

Every change is one Lua call that compares before it sets (`state_scripts.py`), so that two
processes never both make it. The records of a scan are in `redis_records.py`.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
import redis

from scanner import keys
from scanner.redis_errors import redis_errors
from scanner.results import state_scripts
from scanner.results.redis_ends import RedisScanEnds, scan_running
from scanner.results.redis_fetch import CLOSING_LEASE, flat
from scanner.results.report import (
    FINISHED,
    PLANNED,
)
from scanner.spec import ScanSpec
from scanner.timeframe import parse_day

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class RedisScanState(RedisScanEnds):
    """The states and records of scans in Redis; all keys of a scan expire together."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        super().__init__(client, expiry)
        self._open = client.register_script(state_scripts.OPEN)
        self._start = client.register_script(state_scripts.START)

    def open(self, scan_id: str, spec: ScanSpec, deadline: float) -> None:
        """Create a planned scan and take its universe; ScanRunning if another scan has it.

        `deadline`: seconds since 1970-01-01.
        """
        now = time.time()
        lock = keys.lock(spec.source, spec.universe)
        with redis_errors("open a scan"):
            holder = self._open(
                keys=[lock, keys.scan(scan_id), keys.SCANS_OPEN, keys.SCANS],
                args=[
                    scan_id,
                    keys.scan(""),
                    PLANNED,
                    orjson.dumps(dataclasses.asdict(spec)),
                    lock,
                    now,
                    deadline,
                    self._expiry,
                    spec.source,
                    spec.universe,
                ],
            )
        if holder:
            raise scan_running(cast("bytes", holder).decode())

    def running(self, spec: ScanSpec) -> str | None:
        """Return the id of the scan that holds a universe, or None."""
        with redis_errors("look for a running scan"):
            holder = cast("bytes | None", self._client.get(keys.lock(spec.source, spec.universe)))
        if holder is None:
            return None
        progress = self.progress(holder.decode())
        return None if progress is None or progress.state in FINISHED else holder.decode()

    def start(
        self, scan_id: str, universe: Sequence[str], deadline: float, fields: Mapping[str, Any]
    ) -> bool:
        """Move a planned scan to running with its universe; False if it is not planned."""
        pairs = flat({**fields, "total": len(universe)})
        packed = zstd.compress(orjson.dumps(list(universe)), 3)
        with redis_errors("start a scan"):
            return bool(
                self._start(
                    keys=[
                        keys.scan(scan_id),
                        keys.universe_of(scan_id),
                        self._lock(scan_id),
                        keys.SCANS_OPEN,
                    ],
                    args=[scan_id, packed, deadline, CLOSING_LEASE, self._expiry, *pairs],
                )
            )

    def note(self, scan_id: str, fields: Mapping[str, Any]) -> None:
        """Add fields to a scan that exists, whatever its state."""
        with redis_errors("note a fact of a scan"):
            self._change_state(scan_id, "", "", fields)

    def spec(self, scan_id: str) -> ScanSpec | None:
        """Return what a planned scan was asked for, or None if it is not planned."""
        with redis_errors("read a scan's request"):
            state, text = cast("list[Any]", self._client.hmget(keys.scan(scan_id), "state", "spec"))
        if state != PLANNED.encode():
            return None
        plain = orjson.loads(text)
        as_of = plain.pop("as_of")
        return ScanSpec(**plain, as_of=None if as_of is None else parse_day(as_of))

    def open_scans(self) -> dict[str, float]:
        """Return the scans that are not over, each with its deadline."""
        with redis_errors("list open scans"):
            pairs = self._client.zrange(keys.SCANS_OPEN, 0, -1, withscores=True)
        return {scan_id.decode(): score for scan_id, score in cast("list[Any]", pairs)}

    def keep_open(self, scan_id: str, deadline: float) -> None:
        """Put a scan back into the list of open scans."""
        with redis_errors("list a scan"):
            self._client.zadd(keys.SCANS_OPEN, {scan_id: deadline})

    def forget_open(self, scan_id: str) -> None:
        """Drop a scan whose keys are gone from the list of open scans."""
        with redis_errors("forget a scan"):
            self._client.zrem(keys.SCANS_OPEN, scan_id)
