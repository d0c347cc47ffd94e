"""The ends of scans in Redis, early ones and late ones, and the way back from them.

Every change is one Lua call that compares before it sets (`state_scripts.py`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import redis

from scanner import keys
from scanner.errors import ConfigError, ScanRunning
from scanner.redis_errors import redis_errors
from scanner.results import state_scripts
from scanner.results.redis_fetch import CLOSING_LEASE, RedisScanFetch, flat
from scanner.results.report import (
    CANCELLED,
    CLOSING,
    DEGRADED,
    DONE,
    FAILED,
    PLANNED,
    RUNNING,
)

#: Seconds that the records of a scan that is done are kept.
_DONE_SECONDS: Final = 60


class RedisScanEnds(RedisScanFetch):
    """The records of scans, what is fetched for them, and how they end."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        super().__init__(client, expiry)
        self._change = client.register_script(state_scripts.CHANGE)
        self._close = client.register_script(state_scripts.CLOSE)
        self._end = client.register_script(state_scripts.END)
        self._reopen = client.register_script(state_scripts.REOPEN)

    def stop(self, scan_id: str, message: str) -> bool:
        """Let a running scan be closed at once, saying why; False if it does not run."""
        fields = {"message": message, "closed_at": time.time(), "closing_until": 0}
        with redis_errors("stop a scan"):
            return any(
                self._change_state(scan_id, state, CLOSING, fields) for state in (PLANNED, RUNNING)
            )

    def bury(self, scan_id: str, fields: Mapping[str, Any], state: str = FAILED) -> None:
        """Make a scan that is over of one whose state is gone."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hset(keys.scan(scan_id), items=flat({**fields, "state": state}))
        pipe.expire(keys.scan(scan_id), self._expiry)
        with redis_errors("bury a scan"):
            pipe.execute()

    def give_up(self, scan_id: str, message: str) -> None:
        """End a scan as failed whose fields cannot be read, whatever they are."""
        with redis_errors("give up a scan"):
            self._client.zrem(keys.SCANS_OPEN, scan_id)
            try:
                self._client.delete(keys.scan(scan_id))
            except ConfigError:
                return  # nothing can be kept of what is no id
        self.bury(scan_id, {"message": message, "finished_at": time.time()})

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
            raise scan_running(found.decode())
        return bool(found)

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


def scan_running(scan_id: str) -> ScanRunning:
    """Return the error of a universe that another scan holds."""
    return ScanRunning(
        f"scan {scan_id} of this universe is still running; follow it with `scan status {scan_id}`",
        scan_id=scan_id,
    )
