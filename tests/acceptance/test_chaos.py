"""Several faults at once, of any kind and at any time, while bars are fetched or computed."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import threading
import time
from collections.abc import Callable

import pytest
from fleet_fixtures import Fleet, fleet
from process_fixtures import running_simulator
from recovery import rounds
from server_fixtures import Server, running_server
from simulator_fixtures import change_faults

from scanner import keys
from scheduler.request import request_scan, spec_of

pytestmark = pytest.mark.faults

#: Another beginning makes other faults.
SEED = int(os.environ.get("SCANNER_TEST_SEED", "1"))
SYMBOLS = 600
WORKERS = ["scan1", "scan2", "scan3", "scan4", "control"]
FAULTS = ["status500", "status502", "reset", "cut", "malformed", "rate429", "wrong_symbol"]


class Chaos:
    """What can happen to a fleet; each fault is over when its method returns."""

    def __init__(self, one: Fleet, server: Server, url: str, chance: random.Random) -> None:
        self._one, self._server, self._url, self._chance = one, server, url, chance
        self._one_outage = threading.Lock()
        self.said: list[str] = []

    def plan(self) -> list[tuple[float, Callable[[], None]]]:
        """Return some faults, and after how many seconds each begins."""
        pick = self._chance
        kinds = [self._killed, self._killed, self._paused, self._ended, self._redis, self._provider]
        return sorted(
            ((pick.uniform(0.0, 2.5), pick.choice(kinds)()) for _ in range(pick.randint(1, 4))),
            key=lambda fault: fault[0],
        )

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self._one.process(name)
        if process.poll() is None:
            process.send_signal(number)

    def _killed(self) -> Callable[[], None]:
        return self._signalled(signal.SIGKILL)

    def _ended(self) -> Callable[[], None]:
        return self._signalled(signal.SIGTERM)

    def _signalled(self, number: signal.Signals) -> Callable[[], None]:
        names = self._chance.sample(WORKERS, self._chance.randint(1, 3))

        def happen() -> None:
            self.said.append(f"{number.name} {' '.join(names)}")
            for name in names:
                self._signal(name, number)

        return happen

    def _paused(self) -> Callable[[], None]:
        name, seconds = self._chance.choice(WORKERS), self._chance.uniform(0.2, 5.0)

        def happen() -> None:
            self.said.append(f"{name} pauses for {seconds:.1f} s")
            self._signal(name, signal.SIGSTOP)
            time.sleep(seconds)
            self._signal(name, signal.SIGCONT)

        return happen

    def _redis(self) -> Callable[[], None]:
        seconds = self._chance.uniform(0.1, 4.0)

        def happen() -> None:
            with self._one_outage:
                self.said.append(f"Redis is away for {seconds:.1f} s")
                self._server.stop()
                time.sleep(seconds)
                self._server.start()

        return happen

    def _provider(self) -> Callable[[], None]:
        kinds, seconds = self._chance.sample(FAULTS, 3), self._chance.uniform(0.5, 4.0)

        def happen() -> None:
            self.said.append(f"{' '.join(kinds)} for {seconds:.1f} s")
            change_faults(self._url, *(f"{kind}=0.05" for kind in kinds))
            time.sleep(seconds)
            change_faults(self._url)

        return happen


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Start a fleet on a server and a simulator that can be disturbed."""
    folder = tmp_path_factory.mktemp("chaos")
    with (
        running_server(folder / "redis") as server,
        running_simulator(folder, "--symbols", str(SYMBOLS), "--latency", "0.02") as url,
        fleet(
            folder / "fleet",
            module="misbehaving",
            reconciled=1.0,
            redis_url=server.url,
            simulator_url=url,
            batch_size=6,
            lookback_days=60,
            task_budget=5,
            rate="unlimited",
        ) as one,
    ):
        yield one, server, url


def forget_bars(one):
    """Let the next scan fetch all bars again, also those that a task kept and could not give up."""
    client = one.runtime.redis
    for kind in ("bars", "day", "splits", "claim"):
        for key in client.scan_iter(f"{keys.PREFIX}{kind}:*", count=1_000):
            client.delete(key)


def enqueue(one, fetch):
    """Ask for a scan that gets its bars in this way, and return its id."""
    spec = dataclasses.replace(spec_of(one.runtime), fetch=fetch)
    scan_id = request_scan(one.runtime, spec)
    one.send("start_scan", scan_id)
    return scan_id


@pytest.mark.timeout(1_200)
def test_whatever_happens_at_once_a_scan_ends_once_with_all_its_rows(parts):
    """By symbol and by session in turn; bars are fetched meanwhile."""
    one, server, url = parts
    expected = one.plain_rows()
    for number in range(rounds(3)):
        chaos = Chaos(one, server, url, random.Random(SEED * 1_000 + number))
        forget_bars(one)
        one.misbehave("* 0.1")
        scan_id = enqueue(one, ("symbols", "grouped")[number % 2])
        threads = [threading.Timer(after, happen) for after, happen in chaos.plan()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        try:
            one.over(scan_id, expected, "several faults at once", time.monotonic())
        except AssertionError as error:
            raise AssertionError(f"seed {SEED}, round {number}: {chaos.said}") from error
    assert one.runtime.state.open_scans() == {}
