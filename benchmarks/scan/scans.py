"""One scan at a time: a fleet and what to ask come in, seconds and the scan's own fields go out.

A scan is followed by its own state. Its end is the time that it notes when the report is stored,
so that the pause between two looks is not measured.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from unittest import mock

from celery import chord

from benchmarks.scan.empty import NOTHING, OVER
from benchmarks.scan.fleet import Fleet, waited
from scanner import keys
from scanner.results.report import FINISHED, ScanReport
from scanner.spec import Batch, ScanSpec
from scheduler import dispatch, planned
from scheduler.request import request_scan, spec_of
from worker.config import SCAN_QUEUE
from worker.finish import finish
from worker.guard import record_batch

#: Seconds after which a scan or a chord is taken for lost.
_PATIENCE: Final = 600.0
#: Keys a round trip.
_KEYS_A_TRIP: Final = 5_000


class Unexpected(RuntimeError):
    """Raised when a scan is not the one that was to be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A scan that is over."""

    id: str
    #: From the request to the stored report.
    seconds: float
    #: Symbols by where their bars came from.
    bars: dict[str, int]


def spec(
    fleet: Fleet, days: int, *, batch_size: int | str = "auto", universe: str = ""
) -> ScanSpec:
    """Return a request for a scan with `days` of lookback, whose bars come by symbol."""
    plain = dataclasses.replace(spec_of(fleet.runtime, universe=universe), fetch="symbols")
    return dataclasses.replace(plain, lookback_days=days, batch_size=batch_size)


def scan(fleet: Fleet, asked: ScanSpec) -> Done:
    """Ask for a scan as `scan enqueue` does, and return it when its report is stored."""
    began = time.time()
    scan_id = request_scan(fleet.runtime, asked)
    fleet.app.send_task("start_scan", (scan_id,), queue="control", ignore_result=True)
    names = ("state", "finished_at", "message")
    client, key = fleet.runtime.redis, keys.scan(scan_id)

    def over() -> list[bytes] | None:
        found = cast("list[Any]", client.hmget(key, names))
        return found if found[0].decode() in FINISHED else None

    state, finished_at, message = waited(over, _PATIENCE, f"the end of scan {scan_id}")
    if state != b"done":
        raise Unexpected(f"scan {scan_id} is {state.decode()}: {(message or b'').decode()}")
    fields = cast("dict[bytes, bytes]", client.hgetall(key))
    bars = {
        name.decode().removeprefix("bars:"): round(float(value))
        for name, value in fields.items()
        if name.startswith(b"bars:")
    }
    return Done(id=scan_id, seconds=float(finished_at) - began, bars=bars)


def warm(fleet: Fleet, asked: ScanSpec) -> float:
    """Return the seconds of a scan that finds all its bars in the cache."""
    done = scan(fleet, asked)
    if set(done.bars) != {"hit"}:
        raise Unexpected(f"expected cached bars only, got {done.bars}")
    return done.seconds


def cold(fleet: Fleet, asked: ScanSpec) -> float:
    """Return the seconds of a scan that fetches all its bars, one request a symbol."""
    forget_bars(fleet)
    done = scan(fleet, asked)
    if done.bars.get("hit", 0) > 1 or not done.bars.get("fetched"):
        raise Unexpected(f"expected fetched bars only, got {done.bars}")
    return done.seconds


def cold_market(fleet: Fleet, asked: ScanSpec) -> float:
    """Return the seconds of a scan that fetches all its sessions, one request each."""
    forget_market(fleet)
    done = scan(fleet, asked)
    if not done.bars.get("assembled"):
        raise Unexpected(f"expected series of fetched sessions, got {done.bars}")
    return done.seconds


def forget_market(fleet: Fleet) -> None:
    """Delete the sessions and the splits of the fleet's source, and its cached bars."""
    client, source = fleet.runtime.redis, fleet.runtime.source
    found = list(client.scan_iter(f"{keys.PREFIX}day:{source}:*", count=_KEYS_A_TRIP))
    client.unlink(*found, keys.splits(source))
    forget_bars(fleet)


def forget_bars(fleet: Fleet) -> None:
    """Delete the cached bars of the fleet's source, and of no other."""
    client = fleet.runtime.redis
    pattern = f"{keys.PREFIX}bars:{fleet.runtime.source}:*"
    found = list(client.scan_iter(pattern, count=_KEYS_A_TRIP))
    for start in range(0, len(found), _KEYS_A_TRIP):
        client.unlink(*found[start : start + _KEYS_A_TRIP])


def report(fleet: Fleet, scan_id: str) -> ScanReport:
    """Return the report of a scan that is over."""
    found = fleet.runtime.reports.load(scan_id)
    if found is None:
        raise Unexpected(f"scan {scan_id} has no report")
    return found


def floor(fleet: Fleet, asked: ScanSpec) -> float:
    """Return the seconds of the same batches, writes and aggregate in this process alone.

    The plan is made before the clock starts, and nothing is published.
    """
    runtime = fleet.runtime
    scan_id = request_scan(runtime, asked)
    batches = _planned(fleet, scan_id)
    began = time.perf_counter()
    for number, symbols in enumerate(batches):
        batch = Batch(scan_id=scan_id, number=number, symbols=tuple(symbols))
        record_batch(lambda: runtime, batch, "benchmark", _refuse)
    found = finish(runtime, scan_id)
    spent = time.perf_counter() - began
    if found is None or found.state != "done" or not found.rows:
        raise Unexpected(f"scan {scan_id} in one process is {found and found.state}")
    return spent


def _planned(fleet: Fleet, scan_id: str) -> Sequence[Sequence[str]]:
    """Return the batches that a scan would publish, when it runs but nobody works on it."""
    with mock.patch.object(dispatch, "publish") as published:
        dispatch.start_scan(fleet.runtime, scan_id)
    _, _, batches = published.call_args.args
    return cast("Sequence[Sequence[str]]", batches)


def _refuse(scan_id: str) -> None:
    raise Unexpected(f"scan {scan_id} was stopped")


def batches_of(fleet: Fleet, asked: ScanSpec) -> int:
    """Return how many tasks a scan takes."""
    return len(planned.plan_scan(fleet.runtime, asked).plan.batches)


def empty_chord(fleet: Fleet, tasks: int) -> Callable[[], float]:
    """Return what measures a chord of `tasks` that do nothing, from here to its body's run."""
    signature = fleet.app.signature
    client, key = fleet.runtime.redis, "ms1:benchmark:over"

    def run() -> float:
        began = time.time()
        header = (
            signature(NOTHING, (number,), queue=SCAN_QUEUE, ignore_result=True)
            for number in range(tasks)
        )
        body = signature(OVER, (key,), immutable=True, queue="control", ignore_result=True)
        chord(header, app=fleet.app)(body)
        over = waited(lambda: client.lpop(key), _PATIENCE, f"a chord of {tasks} empty tasks")
        return float(over) - began

    return run
