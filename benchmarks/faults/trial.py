"""Trials: a fleet and a simulator whose faults are changed while a scan runs."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import requests

from benchmarks.faults.scenarios import Fetch, Scenario
from benchmarks.scan.fleet import Fleet, fleet
from scanner import keys
from scanner.results.redis_records import ScanProgress
from scanner.results.report import FINISHED, ScanReport
from scheduler.request import request_scan, spec_of
from views.cli.embedded import free_port

#: Seconds between two calls of the reconciler, and between two looks at a scan.
_RECONCILE: Final = 1.0
_LOOK: Final = 0.02
#: Seconds that a scan has to end.
_PATIENCE: Final = 90.0
_FIRST_PORT: Final = 18_801

#: Worker processes, threads of each, and seconds that a task may wait.
WORKERS: Final = 2
THREADS: Final = 5
TASK_BUDGET: Final = 3

#: What has to be gone for a scan to ask for everything: bars, and what is known of the provider.
_FORGOTTEN: Final = ("bars", "day", "splits", "claim", "budget", "cooldown", "breaker")


@dataclass(slots=True, kw_only=True)
class Simulator:
    """A simulator that can be stopped, started again on its port, and told to fail."""

    options: tuple[str, ...]
    port: int
    process: subprocess.Popen[str] | None = field(default=None)

    @property
    def url(self) -> str:
        """Its address, whether it is up or not."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it unless it is up, and wait until it answers."""
        if self.process is not None:
            return
        command = [sys.executable, "-m", "simulator", "--port", str(self.port), *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if self.process.stdout is None or not self.process.stdout.readline():
            raise RuntimeError("the simulator ended before it answered")

    def stop(self) -> None:
        """End it, so that its port is closed."""
        if self.process is not None:
            self.process.terminate()
            self.process.communicate(timeout=10)
            self.process = None

    def fail(self, faults: tuple[str, ...], *, after: int = 0) -> None:
        """Fail in these ways after so many true answers; in none without any."""
        self.start()
        body = {"faults": faults, "after": after}
        requests.post(f"{self.url}/simulator/faults", json=body, timeout=10).raise_for_status()

    def requests(self) -> int:
        """Return how many requests it has had."""
        counts = requests.get(f"{self.url}/simulator/counts", timeout=10).json()
        return sum(cast("dict[str, int]", counts["requests"]).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a scan."""

    report: ScanReport
    #: From the request to the stored report.
    seconds: float
    #: Requests that came while the provider misbehaved, and for how many seconds it did.
    requests: int = 0
    disturbed: float = 0.0

    def coverage(self, undisturbed: ScanReport) -> float:
        """Return the share of the rows of an undisturbed scan that this one has."""
        return len(self.report.rows) / len(undisturbed.rows)


@dataclass(slots=True, kw_only=True)
class Trial:
    """A fleet and the provider that it asks."""

    fleet: Fleet
    simulator: Simulator

    def scan(self, scenario: Scenario) -> Outcome:
        """Scan through a provider that misbehaves; it is well again afterwards."""
        self._forget()
        # What is to go down holds its answers back before, so that no scan is done too soon.
        self.simulator.fail(scenario.faults or ("stall=1",), after=scenario.after)
        began = time.time()
        scan_id = self._enqueue(scenario.fetch)
        try:
            disturbed = self._disturb(scan_id, scenario)
            last = self._ended(scan_id)
        finally:
            self.simulator.fail(())
        return dataclasses.replace(self._outcome(scan_id, last, began), **disturbed)

    def resume(self, report: ScanReport) -> Outcome:
        """Let a scan go on after its end."""
        client = self.fleet.runtime.redis
        for kind in ("breaker", "cooldown"):
            client.delete(*client.scan_iter(f"{keys.PREFIX}{kind}:*"), "none")
        began = time.time()
        scan_id = report.facts.id
        if not self.fleet.runtime.state.reopen(scan_id, began + _PATIENCE):
            raise RuntimeError(f"scan {scan_id} cannot be resumed")
        self._send("resume_scan", scan_id)
        return self._outcome(scan_id, self._ended(scan_id), began)

    def _enqueue(self, fetch: Fetch) -> str:
        runtime = self.fleet.runtime
        scan_id = request_scan(runtime, dataclasses.replace(spec_of(runtime), fetch=fetch))
        self._send("start_scan", scan_id)
        return scan_id

    def _disturb(self, scan_id: str, scenario: Scenario) -> dict[str, Any]:
        """Let the provider misbehave as long as it should, and count the requests meanwhile."""
        half = scenario.after // 2
        self._until(scan_id, lambda one: _answers(one, scenario.fetch) >= half)
        if not scenario.faults:
            self.simulator.stop()
        if scenario.deadline is not None:
            self._shorten(scan_id, time.time() + scenario.deadline)
        if scenario.seconds is None:
            return {}
        began, before = time.monotonic(), self.simulator.requests()
        self._until(scan_id, lambda _: time.monotonic() - began >= (scenario.seconds or 0.0))
        requests = self.simulator.requests() - before
        self.simulator.fail(())
        return {"requests": requests, "disturbed": time.monotonic() - began}

    def _shorten(self, scan_id: str, deadline: float) -> None:
        """Bring the deadline of a scan forward."""
        self.fleet.runtime.state.note(scan_id, {"deadline": deadline})
        self.fleet.runtime.redis.zadd(keys.SCANS_OPEN, {scan_id: deadline}, xx=True)

    def _ended(self, scan_id: str) -> ScanProgress:
        return self._until(scan_id, lambda one: one.state in FINISHED)

    def _until(self, scan_id: str, is_so: Callable[[ScanProgress], bool]) -> ScanProgress:
        """Follow a scan, calling the reconciler as beat does, until it is over or `is_so`."""
        ends = time.monotonic() + _PATIENCE
        due = time.monotonic() + _RECONCILE
        while True:
            found = self.fleet.runtime.state.progress(scan_id)
            if found is None or time.monotonic() > ends:
                raise TimeoutError(f"scan {scan_id}: not over in {_PATIENCE:.0f} s: {found}")
            if found.state in FINISHED or is_so(found):
                return found
            if time.monotonic() >= due:
                self._send("reconcile")
                due = time.monotonic() + _RECONCILE
            time.sleep(_LOOK)

    def _outcome(self, scan_id: str, last: ScanProgress, began: float) -> Outcome:
        report = self.fleet.runtime.reports.load(scan_id)
        if report is None:
            raise RuntimeError(f"scan {scan_id} is {last.state} without a report")
        return Outcome(report=report, seconds=float(last.fields["finished_at"]) - began)

    def _send(self, task: str, *arguments: str) -> None:
        self.fleet.app.send_task(task, arguments, queue="control", ignore_result=True)

    def _forget(self) -> None:
        client = self.fleet.runtime.redis
        for name in _FORGOTTEN:
            found = list(client.scan_iter(f"{keys.PREFIX}{name}:*", count=1_000))
            if found:
                client.unlink(*found)


def _answers(progress: ScanProgress, fetch: Fetch) -> int:
    if fetch == "symbols":
        return progress.recorded
    return int(progress.fields.get("sessions_done", 0))


@contextmanager
def trial(folder: Path, *, symbols: int, latency: float = 0.01) -> Iterator[Trial]:
    """Yield a fleet of two workers and its simulator, and stop both in any case."""
    options = ("--symbols", str(symbols), "--latency", str(latency))
    simulator = Simulator(options=options, port=free_port(_FIRST_PORT))
    simulator.start()
    try:
        with fleet(
            folder,
            simulator_url=simulator.url,
            simulator_symbols=symbols,
            workers=WORKERS,
            threads=THREADS,
            lookback_days=100,
            task_budget=TASK_BUDGET,
            sample=0,
        ) as up:
            yield Trial(fleet=up, simulator=simulator)
    finally:
        simulator.stop()
