"""Tasks that worker processes have begun: what a process leaves behind when it ends is found here.

One hash for each process, by its name in the fleet: a field a task, which is deleted by the write
of its records. The next process of the same name takes over what is left, or the control worker of
the same machine (`worker/take_over.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
import redis

from scanner import keys
from scanner.bars.cache import BarRequest
from scanner.errors import InvalidSymbol
from scanner.owner import is_here, lives_here, this_process
from scanner.redis_errors import redis_errors
from scanner.results import state_scripts
from scanner.results.redis_records import (
    REQUEST_FIELDS,
    RedisScanRecords,
    request_of,
    task_field,
)
from scanner.spec import FETCHES, Batch, Fetch, check_symbol

#: What reading a task raises that nobody of ours has written.
_NOT_OURS: Final = (ValueError, TypeError, LookupError, InvalidSymbol)

#: Keys that one step of a search looks at.
_KEYS_A_TRIP: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftTask:
    """A task that a process had begun when it died."""

    node: str
    #: The machine and the process, as `this_process` says it.
    owner: str
    work: Batch | Fetch
    #: Where it is noted, and how.
    field: str
    data: bytes


class RedisUnderWay(RedisScanRecords):
    """The records of scans, and the tasks that work on them."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        super().__init__(client, expiry)
        self._more = client.register_script(state_scripts.MORE)
        self._take = client.register_script(state_scripts.TAKE)

    def begin(self, batch: Batch, node: str) -> BarRequest | None:
        """Note that a process has begun a batch; return which bars it needs, as `request` does."""
        key = keys.under_way(node)
        task = {
            "by": this_process(),
            "symbols": batch.symbols,
            "deaths": batch.deaths,
            "again": batch.again,
        }
        pipe = self._client.pipeline(transaction=False)
        pipe.hmget(keys.scan(batch.scan_id), REQUEST_FIELDS)
        pipe.hset(key, task_field(batch.scan_id, batch.number), orjson.dumps(task))
        pipe.expire(key, self._expiry)
        with redis_errors("begin a batch"):
            return request_of(pipe.execute()[0])

    def end(self, batch: Batch, node: str) -> None:
        """Note that a process has ended a batch without any record."""
        with redis_errors("end a batch"):
            self._client.hdel(keys.under_way(node), task_field(batch.scan_id, batch.number))

    def begin_fetch(self, fetch: Fetch, node: str) -> None:
        """Note that a process has begun to fetch something for a scan."""
        key = keys.under_way(node)
        task = {"by": this_process(), "task": fetch.task, "arguments": fetch.arguments}
        pipe = self._client.pipeline(transaction=False)
        pipe.hset(key, f"{fetch.scan_id}:{fetch.what}", orjson.dumps(task))
        pipe.expire(key, self._expiry)
        with redis_errors("begin a fetch"):
            pipe.execute()

    def end_fetch(self, fetch: Fetch, node: str) -> None:
        """Note that a process has ended a fetch, whatever became of it."""
        with redis_errors("end a fetch"):
            self._client.hdel(keys.under_way(node), f"{fetch.scan_id}:{fetch.what}")

    def left_by(self, node: str) -> list[LeftTask]:
        """Return what an earlier process of this name has begun and never ended.

        It has begun nothing itself. Of another machine, or of this one before it started anew,
        nothing lives any more.
        """
        return [
            task
            for task in self._tasks(node)
            if task.owner == this_process() or not lives_here(task.owner)
        ]

    def left_here(self) -> list[LeftTask]:
        """Return what processes of this machine have begun and never ended, whatever their name."""
        found = [task for node in self._nodes() for task in self._tasks(node)]
        return [one for one in found if is_here(one.owner) and not lives_here(one.owner)]

    def take(self, task: LeftTask) -> bool:
        """Return whether this caller is the one that goes on with what was left.

        If it dies before it has, the reconciler finds what is missing.
        """
        with redis_errors("take over a task"):
            return bool(self._take(keys=[keys.under_way(task.node)], args=[task.field, task.data]))

    def under_way(self, scan_id: str) -> int:
        """Return how many tasks of a scan have been begun and not ended, by any process."""
        return sum(
            task.work.scan_id == scan_id for node in self._nodes() for task in self._tasks(node)
        )

    def _nodes(self) -> list[str]:
        with redis_errors("look for tasks that are under way"):
            found = set(
                self._client.scan_iter(keys.ALL_UNDER_WAY, count=_KEYS_A_TRIP, _type="HASH")
            )
        names = (key.decode(errors="replace").removeprefix(keys.under_way("")) for key in found)
        return sorted(name for name in names if keys.is_word(name))

    def _tasks(self, node: str) -> list[LeftTask]:
        with redis_errors("look for tasks that are under way"):
            found = cast("dict[bytes, bytes]", self._client.hgetall(keys.under_way(node)))
        tasks = []
        for field, data in found.items():
            with contextlib.suppress(*_NOT_OURS):
                task: dict[str, Any] = orjson.loads(data)
                name, owner = field.decode(), str(task["by"])
                work = _work_of(name, task)
                tasks.append(LeftTask(node=node, owner=owner, work=work, field=name, data=data))
        return tasks

    def unrecorded(self, scan_id: str, symbols: Sequence[str]) -> list[str]:
        """Return those of `symbols` without any record."""
        pipe = self._client.pipeline(transaction=True)
        pipe.hmget(keys.records(scan_id), list(symbols))
        pipe.hmget(keys.retry(scan_id), list(symbols))
        with redis_errors("look for records"):
            finals, waiting = pipe.execute()
        pairs = zip(symbols, finals, waiting, strict=True)
        return [symbol for symbol, final, other in pairs if final is None and other is None]

    def has_final(self, scan_id: str, symbols: Sequence[str]) -> bool:
        """Return whether each of `symbols` has its final record."""
        with redis_errors("look for records"):
            found = cast("list[Any]", self._client.hmget(keys.records(scan_id), list(symbols)))
        return all(one is not None for one in found)

    def more_batches(self, scan_id: str, count: int, why: str) -> int | None:
        """Count batches that are given out again, and return the number of the first of them.

        `why`: `dead`, `redelivered`, `reconciled` or `tried`. None if the scan is gone.
        """
        with redis_errors("add batches"):
            batches = self._more(keys=[keys.scan(scan_id)], args=[count, why])
        return None if batches is None else int(cast("int", batches)) - count


def _work_of(field: str, task: Mapping[str, Any]) -> Batch | Fetch:
    """Return what a task works on; one of _NOT_OURS if no process of ours has written it."""
    scan_id, _, name = field.rpartition(":")
    if not keys.is_word(scan_id) or task.get("task", FETCHES[0]) not in FETCHES:
        raise ValueError(field)
    if "task" in task:
        if not keys.is_word(name):
            raise ValueError(field)
        arguments = tuple(task["arguments"])
        return Fetch(scan_id=scan_id, what=name, task=task["task"], arguments=arguments)
    symbols = tuple(map(check_symbol, task["symbols"]))
    deaths, again = int(task["deaths"]), bool(task["again"])
    return Batch(scan_id=scan_id, number=int(name), symbols=symbols, deaths=deaths, again=again)
