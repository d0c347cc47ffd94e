"""The state of a scan in Redis: planned -> running -> closing -> done | degraded | failed.

Every change is one Lua call that compares before it sets (`state_scripts.py`), so that two
processes never both make it. Workers write records here; `finish_scan` collects them.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson
import redis

from scanner import keys
from scanner.bars.cache import BarRequest
from scanner.bars.redis_cache import redis_errors
from scanner.errors import ScanRunning
from scanner.results import state_scripts
from scanner.results.report import CANCELLED, PLANNED, Record
from scanner.results.wire import decode_record, encode_record
from scanner.spec import ScanSpec
from scanner.timeframe import parse_day

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Seconds that a closer has before another one may take over.
CLOSING_LEASE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProgress:
    """Where a scan stands."""

    state: str
    #: Symbols of the universe; 0 until it is planned.
    total: int
    #: Symbols with a final record.
    recorded: int
    #: Symbols whose record may still change.
    waiting: int
    #: All fields of the scan's hash, as text.
    fields: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedRecords:
    """All that the workers wrote for a scan."""

    universe: tuple[str, ...]
    records: dict[str, Record]
    waiting: dict[str, Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecords:
    """What one task writes."""

    final: Sequence[Record]
    waiting: Sequence[Record]
    #: Field of the scan's hash -> amount to add, such as seconds of a stage.
    counters: Mapping[str, float] = field(default_factory=dict)


class RedisScanState:
    """The states and records of scans in Redis; all keys of a scan expire together."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        self._client = client
        self._expiry = expiry
        self._open = client.register_script(state_scripts.OPEN)
        self._change = client.register_script(state_scripts.CHANGE)
        self._write = client.register_script(state_scripts.WRITE)
        self._close = client.register_script(state_scripts.CLOSE)
        self._release = client.register_script(state_scripts.RELEASE)

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
                ],
            )
        if holder:
            running = cast("bytes", holder).decode()
            raise ScanRunning(
                f"scan {running} of this universe is still running; "
                f"follow it with `scan status {running}`",
                scan_id=running,
            )

    def start(
        self, scan_id: str, universe: Sequence[str], deadline: float, fields: Mapping[str, Any]
    ) -> bool:
        """Move a planned scan to running with its universe; False if it is not planned."""
        packed = zstd.compress(orjson.dumps(list(universe)), 3)
        lock = self._lock(scan_id)
        pairs = {**fields, "total": len(universe), "deadline": deadline}
        with redis_errors("start a scan"):
            self._client.set(keys.universe_of(scan_id), packed, ex=self._expiry)
            self._client.zadd(keys.SCANS_OPEN, {scan_id: deadline}, xx=True)
            if lock:
                self._client.expireat(lock, int(deadline) + CLOSING_LEASE)
            return bool(self._change_state(scan_id, "planned", "running", pairs))

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

    def request(self, scan_id: str) -> BarRequest | None:
        """Return which bars a running scan needs, or None if it does not run."""
        names = ("state", "source", "timeframe", "first", "last")
        with redis_errors("read a scan's request"):
            values = cast("list[Any]", self._client.hmget(keys.scan(scan_id), names))
        if values[0] != b"running":
            return None
        source, timeframe, first, last = (value.decode() for value in values[1:])
        return BarRequest(source=source, timeframe=timeframe, first=int(first), last=int(last))

    def stop(self, scan_id: str, message: str) -> bool:
        """Let a running scan be closed at once, saying why; False if it does not run."""
        fields = {"message": message, "closed_at": time.time(), "closing_until": 0}
        with redis_errors("stop a scan"):
            return any(
                self._change_state(scan_id, state, "closing", fields)
                for state in ("planned", "running")
            )

    def write(self, scan_id: str, batch: BatchRecords) -> int:
        """Write a batch in one call and return how many symbols were taken; -1 if refused.

        All are refused if the scan does not run; a symbol that has a final record is refused.
        """
        args: list[Any] = [self._expiry, len(batch.final), len(batch.waiting)]
        for record in (*batch.final, *batch.waiting):
            args += [record.symbol, encode_record(record)]
        for name, amount in batch.counters.items():
            args += [name, repr(float(amount))]
        with redis_errors("write records"):
            taken = self._write(
                keys=[keys.scan(scan_id), keys.records(scan_id), keys.retry(scan_id)], args=args
            )
        return int(cast("int", taken))

    def take_closing(self, scan_id: str) -> float | None:
        """Return the time at which the scan began to close if this caller is to close it.

        None: it is over, or another caller holds the lease. The time is the same for a
        second closer that takes over from a first.
        """
        with redis_errors("close a scan"):
            since = self._close(keys=[keys.scan(scan_id)], args=[time.time(), CLOSING_LEASE])
        return None if since is None else float(cast("bytes", since))

    def finish(self, scan_id: str, state: str, fields: Mapping[str, Any]) -> bool:
        """Move a closing scan to its last state and give its universe free."""
        lock = self._lock(scan_id)
        with redis_errors("finish a scan"):
            changed = self._change_state(scan_id, "closing", state, fields)
            self._client.zrem(keys.SCANS_OPEN, scan_id)
            if lock:
                self._release(keys=[lock], args=[scan_id])
        return bool(changed)

    def cancel(self, scan_id: str, message: str) -> bool:
        """End a scan without a report, saying why; False if it is over already."""
        cancelled = self.stop(scan_id, message)
        return self.finish(scan_id, CANCELLED, {"finished_at": time.time()}) and cancelled

    def progress(self, scan_id: str) -> ScanProgress | None:
        """Return where a scan stands, or None if it is not known (any more)."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hgetall(keys.scan(scan_id))
        pipe.hlen(keys.records(scan_id))
        pipe.hlen(keys.retry(scan_id))
        with redis_errors("read a scan's state"):
            raw, recorded, waiting = pipe.execute()
        if not raw:
            return None
        fields = {name.decode(): value.decode() for name, value in raw.items()}
        return ScanProgress(
            state=fields["state"],
            total=int(fields.get("total", 0)),
            recorded=recorded,
            waiting=waiting,
            fields=fields,
        )

    def collect(self, scan_id: str) -> CollectedRecords:
        """Return the universe and all records of a scan."""
        pipe = self._client.pipeline(transaction=True)
        pipe.get(keys.universe_of(scan_id))
        pipe.hgetall(keys.records(scan_id))
        pipe.hgetall(keys.retry(scan_id))
        with redis_errors("collect records"):
            packed, records, waiting = pipe.execute()
        universe = orjson.loads(zstd.decompress(packed)) if packed else []
        return CollectedRecords(
            universe=tuple(universe),
            records={s.decode(): decode_record(s.decode(), data) for s, data in records.items()},
            waiting={s.decode(): decode_record(s.decode(), data) for s, data in waiting.items()},
        )

    def open_scans(self) -> dict[str, float]:
        """Return the scans that are not over, each with its deadline."""
        with redis_errors("list open scans"):
            pairs = self._client.zrange(keys.SCANS_OPEN, 0, -1, withscores=True)
        return {scan_id.decode(): score for scan_id, score in cast("list[Any]", pairs)}

    def forget_open(self, scan_id: str) -> None:
        """Drop a scan whose keys are gone from the list of open scans."""
        with redis_errors("forget a scan"):
            self._client.zrem(keys.SCANS_OPEN, scan_id)

    def _lock(self, scan_id: str) -> bytes | None:
        with redis_errors("read a scan's lock"):
            return cast("bytes | None", self._client.hget(keys.scan(scan_id), "lock"))

    def _change_state(
        self, scan_id: str, expected: str, state: str, fields: Mapping[str, Any]
    ) -> Any:
        pairs = [part for name, value in fields.items() for part in (name, str(value))]
        return self._change(keys=[keys.scan(scan_id)], args=[expected, state, *pairs])
