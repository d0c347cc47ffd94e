"""A process that cannot be started again at once, as without memory, is started later."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from views.cli import processes
from views.cli.processes import Command, Supervisor


@pytest.mark.parametrize("error", [BlockingIOError, MemoryError, FileNotFoundError])
def test_a_process_that_cannot_be_started_again_now_is_tried_later(tmp_path, monkeypatch, error):
    """No memory or no process id is left for a moment: the others run on."""
    (tmp_path / "logs").mkdir()
    monkeypatch.setattr(processes, "_FIRST_DELAY", 0.001)
    supervisor = Supervisor(folder=tmp_path)
    argv = (sys.executable, "-S", "-c", "")
    supervisor.start(Command(name="one", argv=argv, env={}, ready=lambda: True))
    supervisor.children[0].process.wait()
    start, refused = subprocess.Popen, []

    def refuse_once(*arguments, **options):
        if not refused:
            refused.append(error)
            raise error
        return start(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", refuse_once)
    ends = time.monotonic() + 5.0
    while not supervisor.restart_dead():
        assert time.monotonic() < ends
    supervisor.stop()
