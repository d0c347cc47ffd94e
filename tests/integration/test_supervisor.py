"""Real processes under the supervisor: started, named when they die, restarted and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tracemalloc

import pytest

from scanner.errors import ConfigError
from views.cli import processes
from views.cli.home import process_start
from views.cli.processes import Command, Supervisor

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="uses prctl")
#: Says that it is up by making a file, then waits for SIGTERM, which it may ignore.
SERVE = """
import pathlib, signal, sys
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
print("serving", flush=True)
while True:
    signal.pause()
"""
#: A supervisor of one process that prints the process's id and waits to be killed.
SUPERVISE = """
import os, signal, sys
from pathlib import Path
from views.cli.processes import Command, Supervisor
supervisor = Supervisor(folder=Path(sys.argv[1]))
up = Path(sys.argv[1]) / "up"
argv = (sys.executable, "-c", sys.argv[2], str(up))
supervisor.start(Command(name="server", argv=argv, env=os.environ, ready=up.exists))
supervisor.wait_ready(30.0, lambda _: None)
print(supervisor.pids()["server"], flush=True)
signal.pause()
"""


@pytest.fixture
def supervisor(tmp_path):
    """Return a supervisor that ends all its processes after the test."""
    (tmp_path / "logs").mkdir()
    one = Supervisor(folder=tmp_path)
    yield one
    one.stop()


def command(folder, name="server", *, code=SERVE, options=(), env=None, serves=False):
    """Return a command that is ready when its file is there."""
    up = folder / f"{name}.up"
    argv = (sys.executable, "-c", code, str(up), *options)
    return Command(name=name, argv=argv, env=env or {"PATH": ""}, ready=up.exists, serves=serves)


def until(condition, seconds=20.0):
    """Wait till a condition holds; fail if it does not in time."""
    ends = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends, "waited in vain"
    return found


def test_processes_are_started_and_waited_for_in_order(supervisor, tmp_path):
    """The caller is told whom it waits for."""
    for name in ("one", "two"):
        supervisor.start(command(tmp_path, name))
    seen = []
    supervisor.wait_ready(20.0, seen.append)
    assert seen == ["one", "two"]
    assert all(process_start(pid) for pid in supervisor.pids().values())
    assert list(supervisor.pids()) == ["one", "two"]


def test_a_process_gets_its_environment_and_no_more(supervisor, tmp_path, monkeypatch):
    """A key of the caller does not slip through."""
    monkeypatch.setenv("POLYGON_API_KEY", "made-up")
    code = f"import os; print(dict(os.environ)); {SERVE}"
    supervisor.start(command(tmp_path, code=code, env={"GIVEN": "1"}))
    supervisor.wait_ready(20.0, lambda _: None)
    log = tmp_path / "logs" / "server.log"
    assert "'GIVEN': '1'" in until(log.read_text)
    assert "made-up" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_process_has_neither_the_terminal_nor_the_input_of_its_starter(supervisor, tmp_path):
    """Ctrl-C is its supervisor's alone, and what is piped into a command is not read by it."""
    code = (
        "import os; print(os.getsid(0) == os.getpid(), "
        "os.path.samestat(os.fstat(0), os.stat(os.devnull)))"
    )
    kept, (read, write) = os.dup(0), os.pipe()
    os.dup2(read, 0)
    try:
        supervisor.start(command(tmp_path, code=code))
    finally:
        os.dup2(kept, 0)
        for descriptor in (kept, read, write):
            os.close(descriptor)
    log = tmp_path / "logs" / "server.log"
    assert until(log.read_text) == "True True\n"


def test_a_process_that_dies_is_named_with_the_end_of_its_log(supervisor, tmp_path):
    """Its exit code and its last five lines, not the first."""
    code = "import sys; [print('line', n, flush=True) for n in range(9)]; sys.exit('no such port')"
    supervisor.start(command(tmp_path, "fine"))
    supervisor.start(command(tmp_path, "broken", code=code))
    with pytest.raises(ConfigError) as caught:
        supervisor.wait_ready(20.0, lambda _: None)
    text = str(caught.value)
    assert text.startswith("broken ended with 1; the end of ")
    assert str(tmp_path / "logs" / "broken.log") in text
    assert text.endswith("line 5\nline 6\nline 7\nline 8\nno such port")


def test_a_process_that_never_answers_is_named(supervisor, tmp_path):
    """With the seconds that it had."""
    silent = Command(
        name="silent",
        argv=command(tmp_path).argv,
        env={},
        ready=lambda: False,
    )
    supervisor.start(silent)
    with pytest.raises(ConfigError, match="silent did not answer in 0 s"):
        supervisor.wait_ready(0.1, lambda _: None)


def test_a_process_that_ends_after_it_had_answered_is_named_not_one_that_waits_for_it(
    supervisor, tmp_path
):
    """A server that is gone is why its client does not answer."""
    supervisor.start(command(tmp_path))
    supervisor.wait_ready(20.0, lambda _: None)
    supervisor.start(
        Command(name="client", argv=command(tmp_path).argv, env={}, ready=lambda: False)
    )
    os.kill(supervisor.pids()["server"], signal.SIGKILL)
    with pytest.raises(ConfigError, match="server ended with -9"):
        supervisor.wait_ready(20.0, lambda _: None)


def test_a_program_that_does_not_exist_is_a_mistake_of_the_user(supervisor, tmp_path):
    """Its name is in the message."""
    missing = Command(name="server", argv=("/nobody/here",), env={}, ready=lambda: True)
    with pytest.raises(ConfigError, match=r"cannot start server: .*nobody"):
        supervisor.start(missing)
    assert supervisor.pids() == {}


def test_a_process_that_died_is_started_again_after_a_delay(supervisor, tmp_path, monkeypatch):
    """Once, while the others run on."""
    monkeypatch.setattr(processes, "_FIRST_DELAY", 0.05)
    for name in ("one", "two"):
        supervisor.start(command(tmp_path, name))
    supervisor.wait_ready(20.0, lambda _: None)
    before = supervisor.pids()
    assert supervisor.restart_dead() == []
    os.kill(before["one"], signal.SIGKILL)
    assert until(supervisor.restart_dead) == ["one"]
    after = supervisor.pids()
    assert after["one"] != before["one"]
    assert after["two"] == before["two"]
    assert process_start(after["one"])
    assert supervisor.restart_dead() == []


@pytest.mark.parametrize(
    ("before", "lived", "delay"),
    [(0, 1.0, 0.5), (1, 1.0, 1.0), (4, 1.0, 8.0), (9, 1.0, 30.0), (9, 9.0, 30.0), (9, 11.0, 0.5)],
)
def test_the_delay_grows_with_each_end_in_a_row(supervisor, tmp_path, before, lived, delay):
    """From half a second, by twos; a process that had lived for a while begins anew."""
    supervisor.start(command(tmp_path, code="raise SystemExit"))
    child = supervisor.children[0]
    child.process.wait()
    child.ends = child.early = before
    child.started_at = time.monotonic() - lived
    pids = supervisor.pids()
    assert [supervisor.restart_dead(), supervisor.restart_dead()] == [[], []]
    assert child.retry_at - time.monotonic() == pytest.approx(delay, abs=0.3)
    assert (child.ends, supervisor.pids()) == (before + 1, pids)


def test_a_process_that_ends_again_and_again_is_told_of(supervisor, tmp_path, monkeypatch):
    """With the end of its log; one that runs is not."""
    monkeypatch.setattr(processes, "_FIRST_DELAY", 0.001)
    supervisor.start(command(tmp_path, "fine"))
    supervisor.start(command(tmp_path, "broken", code="import sys; sys.exit('no such port')"))
    found = until(lambda: supervisor.restart_dead() and supervisor.crash_loops())
    assert found == {"broken": 4}
    story = supervisor.story_of("broken")
    assert story.startswith("broken has ended 4 times in a row; the end of ")
    assert story.endswith("no such port")
    (tmp_path / "logs" / "broken.log").unlink()
    assert "cannot be read" in supervisor.story_of("broken")


def test_of_a_log_that_has_grown_only_the_end_is_read(supervisor, tmp_path):
    """Of megabytes, the last kilobytes."""
    supervisor.start(command(tmp_path, code=""))
    supervisor.children[0].process.wait()
    log = tmp_path / "logs" / "server.log"
    log.write_bytes(bytes(4_000_000) + b"\nthe end\n")
    tracemalloc.start()
    try:
        story = supervisor.story_of("server")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert story[-8:] == "\nthe end"
    assert most < 1_000_000


def test_stop_ends_all_and_may_be_called_twice(supervisor, tmp_path):
    """Nothing of them is left, not even a zombie."""
    for name in ("one", "two", "three"):
        supervisor.start(command(tmp_path, name))
    supervisor.wait_ready(20.0, lambda _: None)
    children = [child.process for child in supervisor.children]
    supervisor.stop()
    assert [process.returncode for process in children] == [-signal.SIGTERM] * 3
    assert supervisor.pids() == {}
    supervisor.stop()


def test_servers_are_ended_when_all_others_are_gone(supervisor, tmp_path):
    """Those that ask a server would note that it fails; the first one holds their last words."""
    order = (
        "import signal, sys, pathlib, os\n"
        "def end(*_):\n"
        "    with open('order', 'a') as f: f.write(sys.argv[2] + ' ')\n"
        "    os._exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "while True: signal.pause()"
    )
    for name in ("store", "market", "worker"):
        serves = name != "worker"
        supervisor.start(command(tmp_path, name, code=order, options=(name,), serves=serves))
    supervisor.wait_ready(20.0, lambda _: None)
    supervisor.stop()
    assert (tmp_path / "order").read_text() == "worker market store "


def test_stop_kills_what_does_not_end_by_itself(supervisor, tmp_path, monkeypatch):
    """After its patience."""
    monkeypatch.setattr(processes, "_PATIENCE", 0.2)
    supervisor.start(command(tmp_path, options=("deaf",)))
    supervisor.wait_ready(20.0, lambda _: None)
    process = supervisor.children[0].process
    supervisor.stop()
    assert process.returncode == -signal.SIGKILL


@LINUX
def test_a_process_ends_with_its_supervisor_even_if_that_is_killed(tmp_path):
    """A killed `scan up` leaves nothing behind."""
    (tmp_path / "logs").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(tmp_path), SERVE], stdout=subprocess.PIPE, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        assert process_start(child)
        parent.kill()
    until(lambda: process_start(child) is None)
