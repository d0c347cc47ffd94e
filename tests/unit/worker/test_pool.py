"""The thread pool: a task that escapes ends its worker, all others do not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future

import pytest

from worker.pool import FailFastThreadPool, _end_process_if_leaked


@pytest.fixture
def terminated():
    """Return an event that SIGTERM sets in place of ending this process."""
    event = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: event.set())
    yield event
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def pool():
    """Start a pool of two threads."""
    one = FailFastThreadPool(2)
    one.start()
    yield one
    one.stop()


def unpack(answer):
    """Take an answer apart as Celery's request does, which has no place for an escaped error."""
    _failed, _value, _seconds = answer


def run(pool, target):
    """Run `target` in the pool and wait till its thread has done with it."""
    result = pool.apply_async(target, callback=unpack, accept_callback=lambda *_: None)
    result.f.exception(timeout=10)


@pytest.mark.parametrize("error", [SystemExit(0), MemoryError("full"), KeyboardInterrupt()])
def test_a_task_that_escapes_its_thread_ends_the_worker(pool, terminated, error):
    """Else its slot would be gone without a word."""

    def escape():
        raise error

    run(pool, escape)
    assert terminated.wait(10)


def test_a_task_that_returns_ends_nothing(pool, terminated):
    """The usual case."""
    run(pool, lambda: (0, "receipt", 0.1))
    assert not terminated.is_set()


def test_a_task_that_was_cancelled_ends_nothing(terminated, caplog):
    """As those that wait when a worker stops; no error is logged of them."""
    future = Future()
    future.add_done_callback(_end_process_if_leaked)
    assert future.cancel()
    assert not terminated.is_set()
    assert caplog.records == []


def test_a_thread_that_rests_runs_no_task(pool):
    """Else its worker would end, a while after each of its tasks."""
    run(pool, lambda: (0, "receipt", 0.1))
    assert pool._began == {}


def test_a_pool_that_stops_is_watched_to_its_last_task(pool):
    """One without an end would else keep its worker for ever."""
    begun, watched = threading.Event(), []

    def work():
        begun.set()
        watched.append(not pool._stopped.wait(0.1))
        return 0, "receipt", 0.1

    pool.apply_async(work, callback=unpack, accept_callback=lambda *_: None)
    assert begun.wait(10)
    pool.stop()
    assert watched == [True]
    assert pool._stopped.is_set()


#: A pool whose task never ends: it sleeps, or it keeps all other threads from running.
ENDLESS = """
import re, sys, time
from worker.pool import FailFastThreadPool
pool = FailFastThreadPool(2)
pool.start()
work = {"sleeps": lambda: time.sleep(600), "holds": lambda: re.match("(a+)+$", "a" * 60 + "b")}
pool.apply_async(work[sys.argv[1]], callback=print, accept_callback=lambda *_: None)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["sleeps", "holds"])
def test_a_task_without_an_end_ends_the_worker(how):
    """With the stack of each thread, also where no other thread can run."""
    done = subprocess.run(
        [sys.executable, "-c", ENDLESS, how],
        env=os.environ | {"SCANNER_TASK_LIMIT": "2"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == (-signal.SIGKILL if how == "sleeps" else 1)
    assert "<lambda>" in done.stderr


def test_tasks_that_end_in_time_are_left_alone(monkeypatch):
    """Many in a row may take longer than the limit of one."""
    monkeypatch.setenv("SCANNER_TASK_LIMIT", "2")
    one = FailFastThreadPool(1)
    one.start()
    for _ in range(8):
        one.apply_async(time.sleep, (0.5,), callback=lambda _: None).f.result(10)
    one.stop()
