"""From a message to records: a Batch comes in, one write goes out, and nothing is raised.

A task that raises breaks its chord, and one that raises SystemExit or MemoryError leaks its
thread's slot. So whatever happens here ends as records, or as a log line.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Final

import structlog
from structlog.contextvars import bound_contextvars

from scanner.bars.cache import BarRequest
from scanner.bootstrap import Runtime
from scanner.errors import ConfigError, ScannerError, StoreUnavailable
from scanner.pipeline import absence_of, scan_batch
from scanner.results.redis_records import EVENT, BatchRecords
from scanner.results.report import Absence, Row
from scanner.spec import Batch, Fetch
from worker.market import check_overlap, noted
from worker.patience import patiently
from worker.rules import rules_of
from worker.runtime import matching
from worker.take_over import Publish, count_ended, give_out_alone

log = structlog.get_logger(__name__)

_HOST: Final = socket.gethostname()

#: Held by a symbol whose task has seen a process die: what dies with it would be suspect too.
_SUSPECTS: Final = threading.Lock()


def record_batch(
    current: Callable[[], Runtime], batch: Batch, node: str, on_end: Callable[[str], object]
) -> None:
    """Scan `batch` and write its records; `on_end` gets the scan's id if it may be closed.

    `current` returns the runtime of this process, or raises what keeps it from being made.
    `node`: the name of this process in the fleet.
    """
    made: list[Runtime] = []

    def give_back(error: BaseException) -> None:
        if made:
            _give_back(made[0], batch, node, error)

    alone = _SUSPECTS if batch.deaths else nullcontext()
    told = bound_contextvars(scan=batch.scan_id, batch=batch.number, stage="begin")
    with told, _kept_going("batch failed", batch.scan_id, give_back), alone:
        made.append(current())
        patiently(lambda: _record(made[0], batch, node, on_end))


def _record(runtime: Runtime, batch: Batch, node: str, on_end: Callable[[str], object]) -> None:
    state = runtime.state
    request = state.begin(batch, node)
    if request is None:
        state.count(batch.scan_id, "late")
    if request is None or (batch.again and state.has_final(batch.scan_id, batch.symbols)):
        count_ended(runtime, batch, node)
        return
    _scan(runtime, batch, node, request, on_end)
    if batch.again and state.is_tried(batch.scan_id):
        # The chord's body has come before, or will not: it has lost a part for good.
        on_end(batch.scan_id)


def redelivered(current: Callable[[], Runtime], batch: Batch, node: str, publish: Publish) -> None:
    """Give out the symbols of a block alone that was delivered before."""
    with _kept_going("block failed", batch.scan_id):
        log.warning("block delivered again", scan=batch.scan_id, batch=batch.number)
        runtime = current()
        patiently(lambda: runtime.state.count(batch.scan_id, "redelivered"))
        patiently(lambda: give_out_alone(runtime, batch, 0, publish, why="redelivered"))
        patiently(lambda: count_ended(runtime, batch, node))


@contextmanager
def _kept_going(
    what: str, scan_id: str, then: Callable[[BaseException], None] | None = None
) -> Iterator[None]:
    """Log whatever the body raises, and hand it to `then`."""
    try:
        yield
    except BaseException as error:
        log.exception(what, scan=scan_id, cause=repr(error))
        if then is not None:
            then(error)


def guarded(
    current: Callable[[], Runtime],
    fetch: Fetch,
    node: str,
    work: Callable[[Runtime], None],
    on_end: Callable[[str], object],
) -> None:
    """Do `work` for a scan that is planned still; a ConfigError stops the scan."""
    with _kept_going("session failed", fetch.scan_id):
        runtime = current()
        try:
            patiently(lambda: noted(runtime, fetch, node, work))
        except ConfigError as error:
            _stop(runtime, fetch.scan_id, error, on_end)


def guarded_sample(current: Callable[[], Runtime], scan_id: str, symbols: Sequence[str]) -> None:
    """Compare a sample of a scan's symbols, if the scan still runs."""
    with _kept_going("sample failed", scan_id):
        runtime = current()
        request = runtime.state.request(scan_id)
        if request is not None and request.grouped:
            check_overlap(runtime, request, symbols)


def _scan(
    runtime: Runtime,
    batch: Batch,
    node: str,
    request: BarRequest,
    on_end: Callable[[str], object],
) -> None:
    try:
        runtime = matching(runtime, request.source)
        runtime.check_source(request.source)
        tools = runtime.tools_of(rules_of(runtime, batch.scan_id))
        result = scan_batch(batch.symbols, request, tools)
    except ConfigError as error:
        _stop(runtime, batch.scan_id, error, on_end)
        runtime.state.end(batch, node)
        return
    counters = {f"seconds:{stage}": spent for stage, spent in result.seconds.items()}
    counters |= {f"bars:{origin}": float(count) for origin, count in result.bars.items()}
    _write(runtime, batch, node, result.records, counters)


def _stop(
    runtime: Runtime, scan_id: str, error: ConfigError, on_end: Callable[[str], object]
) -> None:
    """Let a scan end that no worker can go on with."""
    log.error("scan stopped", scan=scan_id, cause=str(error))
    if patiently(lambda: runtime.state.stop(scan_id, str(error))):
        on_end(scan_id)


def _write(
    runtime: Runtime,
    batch: Batch,
    node: str,
    records: list[Row | Absence],
    counters: Mapping[str, float],
) -> None:
    waiting = [one for one in records if isinstance(one, Absence) and not one.final]
    final = [one for one in records if isinstance(one, Row) or one.final]
    deferred = Counter(f"{EVENT}{one.state}" for one in waiting if one.is_deferred)
    thread = f"by:{_HOST}:{os.getpid()}:{threading.get_native_id()}"
    runtime.state.write(
        batch.scan_id,
        BatchRecords(
            final=final,
            waiting=waiting,
            counters={**counters, **deferred, thread: float(len(batch.symbols))},
            number=batch.number,
            node=node,
        ),
    )


def _give_back(runtime: Runtime, batch: Batch, node: str, error: BaseException) -> None:
    """Record the error of a whole batch, so that the scan can name it; not if Redis is away."""
    if isinstance(error, StoreUnavailable):
        return
    absences: list[Row | Absence] = [absence_of(symbol, error) for symbol in batch.symbols]
    try:
        _write(runtime, batch, node, absences, {})
    except ScannerError as away:  # or it is no scan's id
        log.error("records lost", scan=batch.scan_id, batch=batch.number, cause=str(away))  # noqa: TRY400 - expected
