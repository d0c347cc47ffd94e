"""The state of a scan in Redis: planned -> running -> closing -> done | degraded | failed.

Every change is one Lua call that compares before it sets (`state_scripts.py`), so that two
processes never both make it. The records of a scan are in `redis_records.py`.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import orjson
import redis

from scanner import keys
from scanner.errors import ScanRunning
from scanner.redis_errors import redis_errors
from scanner.results import state_scripts
from scanner.results.redis_fetch import CLOSING_LEASE, RedisScanFetch, flat
from scanner.results.report import (
    CANCELLED,
    CLOSING,
    DEGRADED,
    DONE,
    FAILED,
    FINISHED,
    PLANNED,
    RUNNING,
)
from scanner.spec import ScanSpec
from scanner.timeframe import parse_day

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


#: Seconds that the records of a scan that is done are kept.
_DONE_SECONDS: Final = 60


class RedisScanState(RedisScanFetch):
    """The states and records of scans in Redis; all keys of a scan expire together."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        super().__init__(client, expiry)
        self._open = client.register_script(state_scripts.OPEN)
        self._change = client.register_script(state_scripts.CHANGE)
        self._close = client.register_script(state_scripts.CLOSE)
        self._start = client.register_script(state_scripts.START)
        self._end = client.register_script(state_scripts.END)
        self._reopen = client.register_script(state_scripts.REOPEN)

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
            raise _running(cast("bytes", holder).decode())

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

    def stop(self, scan_id: str, message: str) -> bool:
        """Let a running scan be closed at once, saying why; False if it does not run."""
        fields = {"message": message, "closed_at": time.time(), "closing_until": 0}
        with redis_errors("stop a scan"):
            return any(
                self._change_state(scan_id, state, CLOSING, fields) for state in (PLANNED, RUNNING)
            )

    def bury(self, scan_id: str, fields: Mapping[str, Any]) -> None:
        """Make a failed scan of one whose state is gone."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hset(keys.scan(scan_id), items=flat({**fields, "state": FAILED}))
        pipe.expire(keys.scan(scan_id), self._expiry)
        with redis_errors("bury a scan"):
            pipe.execute()

    def take_closing(self, scan_id: str) -> float | None:
        """Return the time at which the scan began to close if this caller is to close it.

        None: it is over, or another caller holds the lease. The time is the same for a
        second closer that takes over from a first.
        """
        with redis_errors("close a scan"):
            since = self._close(keys=[keys.scan(scan_id)], args=[time.time(), CLOSING_LEASE])
        return None if since is None else float(cast("bytes", since))

    def finish(self, scan_id: str, state: str, fields: Mapping[str, Any]) -> bool:
        """Move a closing scan to its last state and give its universe free.

        Records of a scan that is done are in its report, and go; others are there to be resumed.
        """
        ended = self._end_scan(scan_id, state, (CLOSING,), fields)
        if ended and state == DONE:
            pipe = self._client.pipeline(transaction=False)
            for key in (keys.records, keys.retry, keys.tasks, keys.universe_of):
                pipe.expire(key(scan_id), _DONE_SECONDS)
            with redis_errors("forget records"):
                pipe.execute()
        return ended

    def cancel(self, scan_id: str, message: str) -> bool:
        """End a scan without a report, saying why; False if it closes or is over already."""
        fields = {"message": message, "finished_at": time.time()}
        return self._end_scan(scan_id, CANCELLED, (PLANNED, RUNNING), fields)

    def reopen(self, scan_id: str, deadline: float) -> bool:
        """Let a scan that is over run again for what has no final record; ScanRunning.

        False if it is not over, or was over before it had any symbol.
        """
        lock = self._lock(scan_id)
        states = (DEGRADED, FAILED, CANCELLED)
        with redis_errors("reopen a scan"):
            found = self._reopen(
                keys=[
                    keys.scan(scan_id),
                    lock,
                    keys.SCANS_OPEN,
                    keys.retry(scan_id),
                    keys.records(scan_id),
                    keys.tasks(scan_id),
                    keys.universe_of(scan_id),
                    keys.texts_of(scan_id),
                ],
                args=[
                    scan_id,
                    time.time(),
                    deadline,
                    CLOSING_LEASE,
                    keys.scan(""),
                    self._expiry,
                    len(states),
                    *states,
                ],
            )
        if isinstance(found, bytes):
            raise _running(found.decode())
        return bool(found)

    def open_scans(self) -> dict[str, float]:
        """Return the scans that are not over, each with its deadline."""
        with redis_errors("list open scans"):
            pairs = self._client.zrange(keys.SCANS_OPEN, 0, -1, withscores=True)
        return {scan_id.decode(): score for scan_id, score in cast("list[Any]", pairs)}

    def forget_open(self, scan_id: str) -> None:
        """Drop a scan whose keys are gone from the list of open scans."""
        with redis_errors("forget a scan"):
            self._client.zrem(keys.SCANS_OPEN, scan_id)

    def _end_scan(
        self, scan_id: str, state: str, before: Sequence[str], fields: Mapping[str, Any]
    ) -> bool:
        with redis_errors("end a scan"):
            ended = self._end(
                keys=[keys.scan(scan_id), self._lock(scan_id), keys.SCANS_OPEN],
                args=[scan_id, state, len(before), *before, *flat(fields)],
            )
        return bool(ended)

    def _change_state(
        self, scan_id: str, expected: str, state: str, fields: Mapping[str, Any]
    ) -> Any:
        return self._change(keys=[keys.scan(scan_id)], args=[expected, state, *flat(fields)])


def _running(scan_id: str) -> ScanRunning:
    return ScanRunning(
        f"scan {scan_id} of this universe is still running; follow it with `scan status {scan_id}`",
        scan_id=scan_id,
    )
