"""Turns: within stretches one thread works at a time, and none keeps its turn for itself."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from scanner.turns import Turns


@pytest.fixture
def turns():
    """Return the turns of a process of its own."""
    return Turns()


def test_one_thread_at_a_time_has_a_turn_until_its_stretch_ends(turns):
    """What follows `begin` in a stretch never runs beside what follows it in another one."""
    inside, most = [], []

    def work(number):
        with turns.stretch():
            turns.begin()
            turns.begin()  # has it already
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.001)
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert most == [1] * 40


def test_who_ends_a_turn_lets_others_have_it(turns):
    """As before the next request of the same stretch."""
    taken = threading.Event()

    def other():
        with turns.stretch():
            turns.begin()
            taken.set()

    thread = threading.Thread(target=other)
    with turns.stretch():
        turns.begin()
        thread.start()
        assert not taken.wait(0.05)
        turns.end()
        assert taken.wait(5)
    thread.join(5)


def test_an_error_ends_the_turn(turns):
    """A task that fails does not hold up the process."""

    def work(divisor):
        with turns.stretch():
            turns.begin()
            return 1 / divisor

    with pytest.raises(ZeroDivisionError):
        work(0)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(work, 1).result(5) == 1.0


def test_outside_a_stretch_there_are_no_turns(turns):
    """A request of a scan by symbol waits for nobody."""
    turns.begin()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(turns.begin).result(5)
    turns.end()
