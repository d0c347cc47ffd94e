"""Reports in Redis: one key a report, a sorted set of scans by time, one pointer a screen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import orjson
import redis

from scanner import keys
from scanner.redis_errors import redis_errors
from scanner.results.report import DONE, ScanReport
from scanner.results.wire import decode_report, encode_report

#: Fields of a scan that hold the seconds of its end.
_ENDS: Final = ("seconds:aggregate", "seconds:total")


def with_end(report: ScanReport, timed: Mapping[str, float]) -> ScanReport:
    """Return `report` with the stages that are known only when it is kept."""
    stages = {name.removeprefix("seconds:"): spent for name, spent in timed.items()}
    facts = dataclasses.replace(report.facts, stages=report.facts.stages | stages)
    return dataclasses.replace(report, facts=facts)


class RedisReportStore:
    """Reports in Redis, each for `expiry` seconds."""

    def __init__(self, client: redis.Redis, expiry: int) -> None:
        self._client = client
        self._expiry = expiry

    def save(self, report: ScanReport) -> None:
        """Keep `report`; a complete one becomes the last of each of its screens, if it is newer."""
        facts, asked_at = report.facts, report.facts.asked_at.timestamp()
        newest: dict[str, Sequence[str]] = {}
        if report.state == DONE and not facts.live:
            newest = {
                keys.latest(facts.source, facts.universe, screen.key or name): screen.hits
                for name, screen in report.screens.items()
            }
        with redis_errors("read the last hits"):
            known = self._client.mget(list(newest)) if newest else []
        pipe = self._client.pipeline(transaction=True)
        pipe.set(keys.report(facts.id), encode_report(report), ex=self._expiry)
        pipe.zadd(keys.SCANS, {facts.id: asked_at})
        pipe.zremrangebyscore(keys.SCANS, "-inf", asked_at - self._expiry)
        pipe.expire(keys.SCANS, self._expiry)
        for (key, hits), before in zip(newest.items(), cast("list[Any]", known), strict=True):
            # A scan that was resumed days later is not the last one.
            if _pointer(before)[0] <= asked_at:
                pipe.set(key, orjson.dumps([asked_at, hits]), ex=self._expiry)
        with redis_errors("save a report"):
            pipe.execute()

    def load(self, scan_id: str) -> ScanReport | None:
        """Return the report of a scan, or None if there is none (any more)."""
        pipe = self._client.pipeline(transaction=True)
        pipe.get(keys.report(scan_id))
        pipe.hmget(keys.scan(scan_id), _ENDS)
        with redis_errors("read a report"):
            data, ends = pipe.execute()
        if data is None:
            return None
        timed = zip(_ENDS, ends, strict=True)
        return with_end(decode_report(data), {name: float(s) for name, s in timed if s is not None})

    def newest(self, count: int = 1) -> list[str]:
        """Return the ids of the newest scans, newest first."""
        if count <= 0:
            return []
        with redis_errors("list scans"):
            ids = cast("list[bytes]", self._client.zrevrange(keys.SCANS, 0, count - 1))
        return [scan_id.decode() for scan_id in ids]

    def last_hits(self, source: str, universe: str, screen: str) -> tuple[str, ...] | None:
        """Return the hits of the last complete scan of a universe by `screen`, or None."""
        with redis_errors("read the last hits"):
            data = cast("bytes | None", self._client.get(keys.latest(source, universe, screen)))
        return _pointer(data)[1]


def _pointer(data: bytes | None) -> tuple[float, tuple[str, ...] | None]:
    """Return when the last complete scan was asked for, and its hits; None: there is none."""
    plain = [] if data is None else orjson.loads(data)
    if len(plain) == 2 and isinstance(plain[1], list):
        return float(plain[0]), tuple(plain[1])
    return 0.0, None
