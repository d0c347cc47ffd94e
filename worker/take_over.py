"""Tasks of a process that has died: they come in, each of their symbols goes out alone.

A block may hold one symbol that ends every process that computes it. So what was under way is given
out again symbol by symbol, and a symbol whose own task has seen two processes die is an error. What
was fetched for a scan that is planned still is fetched again, unless it has ended many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from scanner.bootstrap import Runtime
from scanner.errors import StoreUnavailable
from scanner.results.redis_records import BatchRecords
from scanner.results.redis_under_way import LeftTask
from scanner.results.report import Absence
from scanner.spec import Batch, Fetch
from worker.market import lacking, release

log = structlog.get_logger(__name__)

#: Processes that a symbol's own task may end before it is given up.
MOST_DEATHS: Final = 2
#: Processes that may die while they fetch the same session, or the splits, beside others.
MOST_FETCH_DEATHS: Final = 10

#: Puts a task on the queue: scan, number of the batch, symbols, deaths.
Publish = Callable[[str, int, list[str], int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOuts:
    """Tasks that go on with what is left; each returns when it is on its queue."""

    #: Scans symbols.
    publish: Publish
    #: Closes a scan, by its id, if it is complete.
    close: Callable[[str], object]
    #: Fetches for a planned scan, by its id, and goes on with it.
    fetch: Callable[[str, Sequence[Fetch]], object]


def take_over(runtime: Runtime, left: Sequence[LeftTask], out: HandOuts) -> None:
    """Go on with what processes had begun when they died; StoreUnavailable."""
    lost: dict[str, list[Fetch]] = {}
    for task in left:
        if not runtime.state.take(task):  # another one has
            continue
        log.warning("task of a dead process", node=task.node, **_facts(task.work))
        if isinstance(task.work, Batch):
            _take_over_batch(runtime, task.work, task.node, task.owner, out)
        else:
            release(runtime, task.work.what, task.owner)
            if not _gave_up_fetch(runtime, task.work):
                lost.setdefault(task.work.scan_id, []).append(task.work)
    for scan_id, fetches in lost.items():
        if runtime.state.wants_sessions(scan_id):
            out.fetch(scan_id, fetches)


def _facts(work: Batch | Fetch) -> dict[str, object]:
    if isinstance(work, Fetch):
        return {"scan": work.scan_id, "fetch": work.what}
    return {"scan": work.scan_id, "batch": work.number, "deaths": work.deaths}


def _gave_up_fetch(runtime: Runtime, fetch: Fetch) -> bool:
    """Count one more process that has died with a fetch; return whether it is the last one."""
    deaths = runtime.state.count_death(fetch.scan_id, fetch.what)
    if deaths < MOST_FETCH_DEATHS:
        return False
    cause = f"{deaths} worker processes have died while they fetched it"
    log.error("fetch given up", scan=fetch.scan_id, fetch=fetch.what, cause=cause)
    given_up = lacking(fetch.what, cause, refused=True) | {"round_over": 1}
    runtime.state.note(fetch.scan_id, given_up)
    return True


def _take_over_batch(runtime: Runtime, batch: Batch, node: str, owner: str, out: HandOuts) -> None:
    # What ran first, beside others, is no more suspect than a block.
    deaths = batch.deaths + 1 if batch.again and len(batch.symbols) == 1 else 0
    _free(runtime, batch, owner)
    if deaths >= MOST_DEATHS:
        _give_up(runtime, batch)
    else:
        give_out_alone(runtime, batch, deaths, out.publish, why="dead")
    count_ended(runtime, batch, node)
    if runtime.state.is_tried(batch.scan_id):
        out.close(batch.scan_id)


def give_out_alone(
    runtime: Runtime, batch: Batch, deaths: int, publish: Publish, *, why: str
) -> None:
    """Put a task on the queue for each symbol of a batch that has no record, if its scan runs."""
    if runtime.state.request(batch.scan_id) is not None:
        symbols = runtime.state.unrecorded(batch.scan_id, batch.symbols)
        give_out(runtime, batch.scan_id, symbols, publish, why=why, deaths=deaths)


def give_out(
    runtime: Runtime,
    scan_id: str,
    symbols: Sequence[str],
    publish: Publish,
    *,
    why: str,
    deaths: int = 0,
) -> None:
    """Put a task on the queue for each of `symbols`, unless the scan is gone."""
    first = runtime.state.more_batches(scan_id, len(symbols), why)
    if first is None:
        return
    for number, symbol in enumerate(symbols, start=first):
        publish(scan_id, number, [symbol], deaths)
    log.info("symbols given out again", scan=scan_id, symbols=len(symbols), why=why)


def _free(runtime: Runtime, batch: Batch, owner: str) -> None:
    """Give up the claims of a dead process, for which its successor would wait."""
    # A scan that was cancelled since may be resumed, and others want the same bars.
    request = runtime.state.request(batch.scan_id, running=False)
    if request is not None and not request.grouped:
        for symbol in batch.symbols:
            runtime.tools.cache.release(request, symbol, owner)


def count_ended(runtime: Runtime, batch: Batch, node: str) -> None:
    """Count a batch as ended whose symbols are elsewhere now."""
    ended = BatchRecords(number=batch.number, node=node, final=(), waiting=())
    runtime.state.write(batch.scan_id, ended)


def _give_up(runtime: Runtime, batch: Batch) -> None:
    (symbol,) = batch.symbols
    reason = f"{symbol}: {MOST_DEATHS} worker processes have died while they computed it alone"
    poison = Absence(symbol=symbol, state="error:Poison", reason=reason)
    runtime.state.write(batch.scan_id, BatchRecords(final=[poison], waiting=()))


def take_over_at_start(current: Callable[[], Runtime], node: str, out: HandOuts) -> None:
    """Do `take_over` as a worker gets ready; what keeps it from that is logged."""
    try:
        runtime = current()
        take_over(runtime, runtime.state.left_by(node), out)
    except StoreUnavailable as error:
        log.error("tasks of a dead process stay", node=node, cause=str(error))  # noqa: TRY400 - expected
