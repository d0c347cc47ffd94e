"""A stack of one's own: it is stopped in order, whatever happens meanwhile."""

from __future__ import annotations

import signal
import sys

import pytest

from scanner.settings import load_settings
from views.cli import session
from views.cli.home import Home
from views.cli.processes import Command

#: Ends in order, but takes time for it, in which its starter gets another Ctrl-C.
SLOW = """
import os, pathlib, signal, sys, time
def end(*_):
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(0.2)
    pathlib.Path("ended").touch()
    os._exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path("up").touch()
while True:
    signal.pause()
"""


class CtrlC(BaseException):
    """What the handler of the command raises."""


@pytest.fixture
def interruptible():
    """Raise CtrlC at each SIGINT, as `scan up` ends itself."""

    def raise_it(*_):
        raise CtrlC

    before = signal.signal(signal.SIGINT, raise_it)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_second_ctrl_c_does_not_keep_processes_from_ending_in_order(monkeypatch, tmp_path):
    """They have what they need of time; later a Ctrl-C works as before."""
    home = Home(folder=tmp_path / "home")
    argv = (sys.executable, "-S", "-c", SLOW)

    def start(_stack, supervisor, tick):
        ready = (home.folder / "up").exists
        supervisor.start(Command(name="slow", argv=argv, env={}, ready=ready))
        supervisor.wait_ready(20.0, tick)

    monkeypatch.setattr(session, "_start", start)
    own = session.own_stack(load_settings(), home, scheduled=False, tick=lambda _: None)
    with pytest.raises(CtrlC), own:
        signal.raise_signal(signal.SIGINT)
    assert (home.folder / "ended").exists()
    assert home.stack() is None
    with pytest.raises(CtrlC):
        signal.raise_signal(signal.SIGINT)
