"""Fleets: the processes of a stack under a supervisor of the test's own process.

Other than a stack of `scan up` their workers may import modules of the tests, and the test has the
supervisor and the stores in its hands.
"""

from __future__ import annotations

import dataclasses
import math
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from recovery import SEEN, Recovery

from benchmarks.scan.fleet import servers
from scanner import bootstrap
from scanner.bootstrap import Runtime
from scanner.results.redis_records import ScanProgress
from scanner.results.report import FINISHED, ScanReport
from scanner.settings import load_settings
from scheduler.request import request_scan, spec_of
from views.cli.processes import Command, Supervisor
from views.cli.session import await_workers
from worker.config import celery_config

TESTS = Path(__file__).parent


@dataclasses.dataclass(kw_only=True)
class Fleet:
    """Processes that are up, and what a process of them works with."""

    runtime: Runtime
    app: Celery
    supervisor: Supervisor
    #: Names of processes that had ended and were started again.
    restarted: list[str]
    #: Where modules of the tests read what they are to do.
    faults: Path

    def misbehave(self, *lines: str) -> None:
        """Tell the modules of the tests what to do from now on."""
        new = self.faults.with_suffix(".new")
        new.write_text("\n".join(lines))
        new.replace(self.faults)

    def recovered(self, fault: str, since: float, factor: float = 1.0) -> None:
        """Note that a scan is over after a fault that happened or ended at `since`."""
        SEEN.append(Recovery(fault=fault, seconds=time.monotonic() - since, factor=factor))

    def plain_rows(self, **asked: Any) -> dict[str, tuple[Any, ...]]:
        """Return the rows of a scan that nothing disturbs."""
        scan_id = self.enqueue(**asked)
        assert self.ended(scan_id, 90.0).state == "done"
        return self.rows(scan_id)

    def over(
        self,
        scan_id: str,
        rows: Mapping[str, tuple[Any, ...]],
        fault: str = "",
        since: float = 0.0,
        factor: float = 1.0,
    ) -> ScanProgress:
        """Wait until a scan is done, with these rows in its one report; note how long it took."""
        last = self.ended(scan_id, 150.0)
        assert last.state == "done"
        if fault:
            self.recovered(fault, since, factor)
        assert self.rows(scan_id) == rows
        return last

    def until(self, scan_id: str, recorded: int, seconds: float = 30.0) -> None:
        """Wait until so many symbols of a scan have their records."""
        ends = time.monotonic() + seconds
        while (found := self.progress(scan_id)).recorded < recorded:
            assert time.monotonic() < ends, f"not {recorded} records in {seconds:.0f} s: {found}"
            time.sleep(0.005)

    def send(self, task: str, *arguments: str) -> None:
        """Put a task of the control worker on its queue."""
        self.app.send_task(task, arguments, queue="control", ignore_result=True, retry=False)

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """Return the process of that name, as it is now."""
        return next(c.process for c in self.supervisor.children if c.command.name == name)

    def idle(self, seconds: float = 60.0) -> None:
        """Wait until no task waits or runs, a moment after the last one too."""
        ends, quiet, client = time.monotonic() + seconds, 0, self.runtime.redis
        while quiet < 2:
            busy = client.llen("control") + client.llen("scan") + client.hlen("unacked")
            quiet = 0 if busy else quiet + 1
            assert time.monotonic() < ends, f"{busy} tasks after {seconds:.0f} s"
            time.sleep(0.005)

    def enqueue(self, **asked: Any) -> str:
        """Ask for a scan and return its id."""
        scan_id = request_scan(self.runtime, spec_of(self.runtime, **asked))
        self.send("start_scan", scan_id)
        return scan_id

    def rows(self, scan_id: str) -> dict[str, tuple[Any, ...]]:
        """Return the values of each symbol's row."""
        report = self.runtime.reports.load(scan_id)
        assert report is not None, f"scan {scan_id} has no report"
        assert_sums(report)
        return {one.row.symbol: one.row.values for one in report.rows}

    def progress(self, scan_id: str) -> ScanProgress:
        """Return where a scan stands."""
        found = self.runtime.state.progress(scan_id)
        assert found is not None, f"scan {scan_id} is gone"
        return found

    def ended(self, scan_id: str, seconds: float) -> ScanProgress:
        """Return the last state of a scan; fail if it is not over in time."""
        ends = time.monotonic() + seconds
        while (found := self.progress(scan_id)).state not in FINISHED:
            assert time.monotonic() < ends, f"not over in {seconds:.0f} s: {found}"
            time.sleep(0.05)
        return found


def assert_sums(report: ScanReport) -> None:
    """Check that each symbol is in one state of the scan's ledger, and of each screen's."""
    total = len(report.rows) + len(report.absences)
    assert sum(report.ledger.values()) == total
    for name, screen in report.screens.items():
        assert sum(screen.ledger.values()) == total, name


@contextmanager
def fleet(
    folder: Path,
    *,
    module: str = "",
    control: str = "",
    reconciled: float = 2.0,
    beat: bool = False,
    **options: Any,
) -> Iterator[Fleet]:
    """Yield a fleet with these settings, and stop it in any case.

    `module`, `control`: what the workers and the control worker import beside their tasks.
    `reconciled`: seconds between two calls of the reconciler, which are beat's where it runs
    (`beat`).
    """
    stopped = threading.Event()
    with servers(folder, **options) as (stack, supervisor):
        settings = load_settings(stack.variables)
        app = Celery("tests", set_as_current=False)
        app.conf.update(celery_config(settings))
        answering: dict[str, bool] = {}
        for command in stack.workers(answering):
            own = control if command.name == "control" else module
            supervisor.start(_with(own, folder, command))
        await_workers(app, answering, supervisor)
        supervisor.wait_ready(60.0, lambda _: None)
        if beat:
            supervisor.start(stack.beat())
            reconciled = math.inf
        runtime = bootstrap.runtime(settings)
        one = Fleet(
            runtime=runtime,
            app=app,
            supervisor=supervisor,
            restarted=[],
            faults=folder / "faults",
        )
        watcher = threading.Thread(target=_watch, args=(one, stopped, reconciled))
        watcher.start()
        try:
            yield one
        finally:
            stopped.set()
            watcher.join(10)
            app.close()
            runtime.redis.close()


def _with(module: str, folder: Path, command: Command) -> Command:
    if not module:
        return command
    tasks = "scheduler.tasks" if command.name == "control" else "worker.tasks"
    return dataclasses.replace(
        command,
        argv=(*command.argv, "--include", f"{tasks},{module}"),
        env={**command.env, "PYTHONPATH": str(TESTS), "FAULTS": str(folder / "faults")},
    )


def _watch(one: Fleet, stopped: threading.Event, period: float) -> None:
    """Start again what ends, as `scan up` does, and call the reconciler, as beat does."""
    due = time.monotonic() + period
    while not stopped.wait(0.1):
        one.restarted += one.supervisor.restart_dead()
        if time.monotonic() >= due:
            with suppress(OperationalError):  # as beat, which tries again the next time
                one.send("reconcile")
            due = time.monotonic() + period
