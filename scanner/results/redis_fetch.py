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
from scanner.results.redis_records import EVENT
from scanner.results.redis_under_way import RedisUnderWay
from scanner.results.report import PLANNED

#: Begins the fields that say why a session, or the splits, could not be fetched.
UNFETCHED: Final = "unfetched:"

#: Seconds that a closer has before another one may take over.
CLOSING_LEASE: Final = 60
#: Refusals without a session, after which a provider is not asked for more.
_REFUSALS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a planned scan has decided and fetched before its batches can run."""

    #: The time at the provider when it was planned first; None: it has not been.
    now: dt.datetime | None
    #: How its bars come, as in SCANNER_FETCH.
    how: str
    #: Seconds since 1970-01-01.
    deadline: float
    #: Requests that it needs, that have been answered, and how many of these before the last round.
    asked: int
    done: int
    done_before: int
    #: Rounds that have brought nothing.
    idle_rounds: int
    #: The last error; and what asking again would refuse again, each with its error.
    error: str
    refused: Mapping[str, str]
    #: Whether requests of the last round were not sent, because they had to wait.
    waits: bool


class RedisScanFetch(RedisUnderWay):
    """The records of scans, and what is fetched before there are any."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        super().__init__(client, expiry)
        self._prepare = client.register_script(state_scripts.PREPARE)
        self._count = client.register_script(state_scripts.COUNT)

    def prepared(self, scan_id: str) -> Prepared:
        """Return what a planned scan has decided and fetched so far."""
        with redis_errors("read what a scan has fetched"):
            raw = cast("dict[bytes, bytes]", self._client.hgetall(keys.scan(scan_id)))
        fields = {name.decode(): value.decode() for name, value in raw.items()}
        now = fields.get("market_now")
        return Prepared(
            now=dt.datetime.fromisoformat(now) if now else None,
            how=fields.get("how", ""),
            deadline=float(fields.get("deadline", 0.0)),
            asked=int(fields.get("sessions", 0)),
            done=int(fields.get("sessions_done", 0)),
            done_before=int(fields.get("done_before", 0)),
            idle_rounds=int(fields.get("idle_rounds", 0)),
            error=fields.get("fetch_error", ""),
            refused={
                name.removeprefix("refused:"): text
                for name, text in fields.items()
                if name.startswith("refused:")
            },
            waits=fields.get("fetch_waits") == "1",
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

    def wants_sessions(self, scan_id: str) -> bool:
        """Return whether a scan is planned and does not get refusals only."""
        with redis_errors("read what a scan wants"):
            state, refused, done = cast(
                "list[bytes | None]",
                self._client.hmget(keys.scan(scan_id), "state", "refusals", "sessions_done"),
            )
        # The splits are one answer.
        return state == PLANNED.encode() and (int(done or 0) > 1 or int(refused or 0) < _REFUSALS)

    def count_refused(self, scan_id: str) -> None:
        """Count one more refusal for a scan that exists."""
        with redis_errors("count a step of a scan"):
            self._count(keys=[keys.scan(scan_id)], args=["refusals", ""])

    def count_fetched(self, scan_id: str, what: str) -> None:
        """Count one more answer for a scan that exists; `what` is not lacking any more."""
        with redis_errors("count a step of a scan"):
            self._count(keys=[keys.scan(scan_id)], args=["sessions_done", f"{UNFETCHED}{what}"])

    def count_death(self, scan_id: str, what: str) -> int:
        """Count a process that has died while it fetched `what`; return how many have."""
        with redis_errors("count a step of a scan"):
            counted = self._count(keys=[keys.scan(scan_id)], args=[f"deaths:{what}", ""])
        return int(cast("int", counted))

    def count(self, scan_id: str, event: str) -> None:
        """Count something that does not go the usual way, for a scan that exists."""
        with redis_errors("count an event of a scan"):
            self._count(keys=[keys.scan(scan_id)], args=[f"{EVENT}{event}", ""])

    def _lock(self, scan_id: str) -> str:
        with redis_errors("read a scan's lock"):
            lock = cast("bytes | None", self._client.hget(keys.scan(scan_id), "lock"))
        return "" if lock is None else lock.decode()


def flat(fields: Mapping[str, Any]) -> list[str]:
    """Return fields and values in turn, as texts."""
    return [part for name, value in fields.items() for part in (name, str(value))]
