"""Signals end a command wherever it is, once, and do not disturb its cleaning up."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from views.cli.endings import ENDINGS, undisturbed, unwound_by_signals


class Deaf:
    """Gets a signal in its destructor, where Python drops what the handler raises."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(100):
            time.sleep(0.001)


def signalled(number):
    """Get a signal and wait for what it does."""
    os.kill(os.getpid(), number)
    time.sleep(5.0)


def signalled_in_a_destructor():
    """The same, where what the handler raises is dropped."""
    Deaf()
    time.sleep(5.0)


@pytest.mark.parametrize("number", ENDINGS)
def test_a_signal_unwinds_what_runs(number):
    """And the handlers are afterwards what they were."""
    before = [signal.getsignal(one) for one in ENDINGS]
    with pytest.raises(SystemExit), unwound_by_signals(SystemExit(0)):
        signalled(number)
    assert [signal.getsignal(one) for one in ENDINGS] == before


def test_a_signal_that_comes_in_a_destructor_is_not_lost():
    """It comes again a moment later."""
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), unwound_by_signals(KeyboardInterrupt()):
        signalled_in_a_destructor()
    assert time.monotonic() - began < 4.0


def test_other_errors_of_destructors_are_told_as_ever(monkeypatch):
    """They are no signals."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    class Broken:
        def __del__(self):
            raise ValueError("at its end")

    with unwound_by_signals(SystemExit(0)):
        Broken()
    assert [one.exc_type for one in told] == [ValueError]


def test_signals_wait_while_processes_are_stopped():
    """A second Ctrl-C changes nothing."""
    with undisturbed():
        for number in ENDINGS:
            os.kill(os.getpid(), number)
        time.sleep(0.01)
