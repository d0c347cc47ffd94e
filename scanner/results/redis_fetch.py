"""What a planned scan fetches before its batches can run: control decides it, workers count it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import redis

from scanner import keys
from scanner.redis_errors import redis_errors
from scanner.results import state_scripts
from scanner.results.redis_records import RedisScanRecords

#: Seconds that a closer has before another one may take over.
CLOSING_LEASE: Final = 60

_FIELDS: Final = (
    "market_now",
    "how",
    "deadline",
    "sessions_done",
    "done_before",
    "idle_rounds",
    "fetch_error",
    "fetch_refused",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a planned scan has decided and fetched before its batches can run."""

    #: The time at the provider when it was planned first; None: it has not been.
    now: dt.datetime | None
    #: How its bars come, as in SCANNER_FETCH.
    how: str
    #: Seconds since 1970-01-01.
    deadline: float
    #: Requests that have been answered, and how many of them before the last round.
    done: int
    done_before: int
    #: Rounds that have brought nothing.
    idle_rounds: int
    #: The last error, and whether asking again would give the same.
    error: str
    refused: bool


class RedisScanFetch(RedisScanRecords):
    """The records of scans, and what is fetched before there are any."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        super().__init__(client, expiry)
        self._prepare = client.register_script(state_scripts.PREPARE)

    def prepared(self, scan_id: str) -> Prepared:
        """Return what a planned scan has decided and fetched so far."""
        with redis_errors("read what a scan has fetched"):
            found = cast("list[bytes | None]", self._client.hmget(keys.scan(scan_id), _FIELDS))
        texts = [None if value is None else value.decode() for value in found]
        now, how, deadline, done, before, idle, error, refused = texts
        return Prepared(
            now=dt.datetime.fromisoformat(now) if now else None,
            how=how or "",
            deadline=float(deadline or 0.0),
            done=int(done or 0),
            done_before=int(before or 0),
            idle_rounds=int(idle or 0),
            error=error or "",
            refused=refused == "1",
        )

    def prepare(self, scan_id: str, deadline: float, fields: Mapping[str, Any]) -> bool:
        """Give a planned scan time to fetch its sessions first; False if it is not planned."""
        with redis_errors("prepare a scan"):
            return bool(
                self._prepare(
                    keys=[keys.scan(scan_id), self._lock(scan_id), keys.SCANS_OPEN],
                    args=[scan_id, deadline, CLOSING_LEASE, *flat(fields)],
                )
            )

    def count(self, scan_id: str, field: str) -> None:
        """Add one to a field of a scan."""
        with redis_errors("count a step of a scan"):
            self._client.hincrby(keys.scan(scan_id), field, 1)

    def _lock(self, scan_id: str) -> str:
        with redis_errors("read a scan's lock"):
            lock = cast("bytes | None", self._client.hget(keys.scan(scan_id), "lock"))
        return "" if lock is None else lock.decode()


def flat(fields: Mapping[str, Any]) -> list[str]:
    """Return fields and values in turn, as texts."""
    return [part for name, value in fields.items() for part in (name, str(value))]
