"""The thread pool: a task that escapes ends its worker, all others do not."""

from __future__ import annotations

import signal
import threading
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


def test_a_task_that_was_cancelled_ends_nothing(terminated):
    """As those that wait when a worker stops."""
    future = Future()
    future.add_done_callback(_end_process_if_leaked)
    assert future.cancel()
    assert not terminated.is_set()
