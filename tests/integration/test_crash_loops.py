"""A process that ends again and again: who looks at the stack is told, once, and may ask later."""

from __future__ import annotations

import os
import sys
import time

import pytest

from views.cli import processes
from views.cli.home import Home, process_start
from views.cli.processes import Command, Supervisor
from views.cli.up import _tell_of_loops


@pytest.fixture
def home(tmp_path):
    """Return the home folder of a stack whose process is this one."""
    one = Home(folder=tmp_path / "home")
    one.create()
    one.write_stack({"pid": os.getpid(), "started": process_start(os.getpid())})
    return one


@pytest.fixture
def looping(home, monkeypatch):
    """Return a supervisor of a process that has ended four times in a row."""
    monkeypatch.setattr(processes, "_FIRST_DELAY", 0.001)
    argv = (sys.executable, "-S", "-c", "import sys; sys.exit('no such port')")
    one = Supervisor(folder=home.folder)
    one.start(Command(name="broken", argv=argv, env={}, ready=lambda: True))
    ends = time.monotonic() + 20.0
    while not one.crash_loops():
        assert time.monotonic() < ends, "no crash loop is seen"
        one.restart_dead()
    yield one
    one.stop()


def test_a_crash_loop_is_told_once_and_stands_in_the_stack_s_file(looping, home, capsys):
    """With the end of the process's log, for the log of the stack and for `scan status`."""
    told = _tell_of_loops(looping, set(), home)
    assert told == {"broken"}
    story = capsys.readouterr().err
    assert story.startswith("broken has ended 4 times in a row; the end of ")
    assert story.endswith("no such port\n")
    assert home.stack()["crash_loops"] == {"broken": story.removesuffix("\n")}
    assert _tell_of_loops(looping, told, home) == told
    assert capsys.readouterr().err == ""


def test_a_crash_loop_that_is_over_is_taken_out_of_the_stack_s_file(looping, home):
    """As soon as the process has lived for a minute; its next end is the first of a new row."""
    told = _tell_of_loops(looping, set(), home)
    (child,) = looping.children
    child.process.wait()
    child.retry_at, child.started_at = 0.0, time.monotonic() - processes._STEADY - 1.0
    assert _tell_of_loops(looping, told, home) == set()
    assert home.stack()["crash_loops"] == {}
    looping.restart_dead()
    assert child.ends == 1
