"""The records of a scan in Redis: workers write them batch by batch, `finish_scan` collects them.

Records are one hash, symbol -> Row or Absence, so that a symbol cannot be in two states; those
that may still change wait in a second one. One Lua call writes a batch (`state_scripts.py`).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson
import redis

from scanner import keys
from scanner.bars.cache import BarRequest
from scanner.redis_errors import redis_errors
from scanner.results import state_scripts
from scanner.results.report import DONE, RUNNING, Record
from scanner.results.wire import decode_record, encode_record

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


#: Begins the names of a scan's counters of what did not go the usual way.
EVENT: Final = "event:"


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

    @property
    def all_ended(self) -> bool:
        """Whether no batch that was given out is still to be done."""
        done = float(self.fields.get("tasks", 0.0))
        return done >= float(self.fields.get("batches", math.inf))

    @property
    def events(self) -> dict[str, int]:
        """What was refused, late, redelivered, republished or deferred, and how often."""
        return {
            name.removeprefix(EVENT): int(float(count))
            for name, count in sorted(self.fields.items())
            if name.startswith(EVENT)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRules:
    """What decides the rows of a scan; the same for all its batches."""

    #: The screens as TOML.
    screens: str = ""
    #: What the universe tells of its symbols: `sector` and others.
    told: tuple[str, ...] = ()
    #: Recent sessions of the exchange and the one after as_of, days since 1970-01-01.
    calendar: tuple[int, ...] = ()
    #: Benchmarks of the screens of which there are bars.
    benchmarks: tuple[str, ...] = ()
    #: Indicator columns of a row, whatever a worker's own settings say.
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedRecords:
    """All that the workers wrote for a scan."""

    universe: tuple[str, ...]
    records: dict[str, Record]
    waiting: dict[str, Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecords:
    """What one task writes."""

    #: Number of its batch in the plan; -1 for what is written outside of any task.
    number: int = -1
    #: The worker process that has begun it, see `under_way.py`.
    node: str = ""

    final: Sequence[Record]
    waiting: Sequence[Record]
    #: Field of the scan's hash -> amount to add, such as seconds of a stage.
    counters: Mapping[str, float] = field(default_factory=dict)


class RedisScanRecords:
    """The records of scans in Redis; all keys of a scan expire together."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        self._client = client
        self._expiry = expiry
        self._write = client.register_script(state_scripts.WRITE)

    def request(self, scan_id: str, *, running: bool = True) -> BarRequest | None:
        """Return which bars a running scan needs, or None if it does not run.

        Without `running` also which ones a scan needed that does not run any more.
        """
        with redis_errors("read a scan's request"):
            values = cast("list[Any]", self._client.hmget(keys.scan(scan_id), REQUEST_FIELDS))
        return request_of(values, running=running)

    def rules(self, scan_id: str) -> ScanRules:
        """Return what decides the rows of a scan that has been planned."""
        names = ("screens", "told", "calendar", "benchmarks", "columns")
        with redis_errors("read a scan's rules"):
            values = cast("list[Any]", self._client.hmget(keys.scan(scan_id), names))
        screens, told, calendar, benchmarks, columns = values
        return ScanRules(
            screens=screens.decode() if screens else "",
            told=tuple(orjson.loads(told)) if told else (),
            calendar=tuple(orjson.loads(calendar)) if calendar else (),
            benchmarks=tuple(orjson.loads(benchmarks)) if benchmarks else (),
            columns=tuple(orjson.loads(columns)) if columns else (),
        )

    def keep_texts(self, scan_id: str, texts: Mapping[str, Mapping[str, str]]) -> None:
        """Keep what the universe of a scan tells of its symbols: `sector` -> symbol -> text."""
        packed = zstd.compress(orjson.dumps(texts), 3)
        with redis_errors("keep the texts of a universe"):
            self._client.set(keys.texts_of(scan_id), packed, ex=self._expiry)

    def texts(self, scan_id: str) -> dict[str, dict[str, str]]:
        """Return what the universe of a scan tells of its symbols."""
        with redis_errors("read the texts of a universe"):
            packed = cast("bytes | None", self._client.get(keys.texts_of(scan_id)))
        return dict(orjson.loads(zstd.decompress(packed))) if packed else {}

    def write(self, scan_id: str, batch: BatchRecords) -> int:
        """Write a batch in one call and return how many symbols were taken; -1 if refused.

        All are refused if the scan does not run; a symbol that has a final record is refused.
        """
        field = task_field(scan_id, batch.number)
        args: list[Any] = [
            self._expiry,
            len(batch.final),
            len(batch.waiting),
            batch.number,
            field,
        ]
        for record in (*batch.final, *batch.waiting):
            args += [record.symbol, encode_record(record)]
        for name, amount in batch.counters.items():
            args += [name, repr(float(amount))]
        with redis_errors("write records"):
            taken = self._write(
                keys=[
                    keys.scan(scan_id),
                    keys.records(scan_id),
                    keys.retry(scan_id),
                    keys.tasks(scan_id),
                    keys.under_way(batch.node),
                ],
                args=args,
            )
        return int(cast("int", taken))

    def progress(self, scan_id: str) -> ScanProgress | None:
        """Return where a scan stands, or None if it is not known (any more)."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hgetall(keys.scan(scan_id))
        pipe.hlen(keys.records(scan_id))
        pipe.hlen(keys.retry(scan_id))
        with redis_errors("read a scan's state"):
            raw, recorded, waiting = pipe.execute()
        if b"state" not in raw:
            return None
        fields = {name.decode(): value.decode() for name, value in raw.items()}
        total = int(fields.get("total", 0))
        return ScanProgress(
            state=fields["state"],
            total=total,
            # The records of a scan that is done do not stay.
            recorded=total if fields["state"] == DONE else recorded,
            waiting=waiting,
            fields=fields,
        )

    def is_tried(self, scan_id: str) -> bool:
        """Return whether a running scan has a record of each symbol, final or not, and no task."""
        progress = self.progress(scan_id)
        if progress is None or progress.state != RUNNING:
            return False
        recorded = progress.recorded + (progress.waiting if progress.all_ended else 0)
        return recorded >= progress.total

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


#: Fields of a scan that say which bars it needs.
REQUEST_FIELDS: Final = ("state", "source", "timeframe", "first", "last", "market")


def request_of(values: Sequence[Any], *, running: bool = True) -> BarRequest | None:
    """Return the request that REQUEST_FIELDS make, or None if the scan does not run.

    Without `running` None only if it never did.
    """
    if None in values[1:5] or (running and values[0] != RUNNING.encode()):
        return None
    source, timeframe, first, last = (value.decode() for value in values[1:5])
    market = orjson.loads(values[5]) if values[5] else {}
    return BarRequest(
        source=source,
        timeframe=timeframe,
        first=int(first),
        last=int(last),
        grouped=market.get("grouped", False),
        sessions=tuple(market.get("sessions", ())),
        since=market.get("since", 0.0),
        until=market.get("until", 0),
        live=market.get("live", 0),
    )


def task_field(scan_id: str, number: int) -> str:
    """Return the field of a task among those that are under way."""
    return f"{scan_id}:{number}"
