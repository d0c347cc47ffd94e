"""Tasks that worker processes have begun: what a process leaves behind when it ends is found here.

One hash for each process, by its name in the fleet: a field a task, which is deleted by the write
of its records. The next process of the same name takes over what is left (`worker/take_over.py`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final, cast

import orjson
import redis

from scanner import keys
from scanner.bars.cache import BarRequest
from scanner.redis_errors import redis_errors
from scanner.results import state_scripts
from scanner.results.redis_records import (
    REQUEST_FIELDS,
    RedisScanRecords,
    request_of,
    task_field,
)
from scanner.spec import Batch

#: Keys that one step of a search looks at.
_KEYS_A_TRIP: Final = 5_000


class RedisUnderWay(RedisScanRecords):
    """The records of scans, and the tasks that work on them."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        super().__init__(client, expiry)
        self._more = client.register_script(state_scripts.MORE)

    def begin(self, batch: Batch, node: str) -> BarRequest | None:
        """Note that a process has begun a batch; return which bars it needs, as `request` does."""
        key = keys.under_way(node)
        task = {"pid": os.getpid(), "symbols": batch.symbols, "deaths": batch.deaths}
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

    def left_by(self, node: str) -> list[Batch]:
        """Return the batches that an earlier process of this name has begun and never ended."""
        with redis_errors("look for tasks that were left"):
            found = cast("dict[bytes, bytes]", self._client.hgetall(keys.under_way(node)))
        left = []
        for name, data in found.items():
            scan_id, _, number = name.decode().rpartition(":")
            task: dict[str, Any] = orjson.loads(data)
            if not _lives(task["pid"]):
                left.append(
                    Batch(
                        scan_id=scan_id,
                        number=int(number),
                        symbols=tuple(task["symbols"]),
                        deaths=task["deaths"],
                    )
                )
        return left

    def under_way(self, scan_id: str) -> int:
        """Return how many tasks of a scan have been begun and not ended, by any process."""
        with redis_errors("look for tasks that are under way"):
            nodes = list(self._client.scan_iter(keys.ALL_UNDER_WAY, count=_KEYS_A_TRIP))
            pipe = self._client.pipeline(transaction=False)
            for node in nodes:
                pipe.hkeys(node)
            found = pipe.execute()
        begins = f"{scan_id}:".encode()
        return sum(name.startswith(begins) for names in found for name in names)

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


def _lives(pid: int) -> bool:
    """Return whether a process other than this one has that id, on this machine."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True
