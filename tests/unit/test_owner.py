"""Names of machines, processes and threads: what they tell apart, and who is taken for alive."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scanner import owner

linux = pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="needs Linux")


@linux
def test_a_machine_is_another_after_its_start_and_in_another_space_of_ids():
    """The same id may be another process there."""
    boot, space = owner.this_machine().split("/")
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert int(space) == Path("/proc/self/ns/pid").stat().st_ino


def test_a_machine_without_linux_s_files_goes_by_its_name(monkeypatch):
    """Its name is what other systems tell."""

    def missing(_path):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    owner.this_machine.cache_clear()
    try:
        assert owner.this_machine() == socket.gethostname()
    finally:
        owner.this_machine.cache_clear()


def test_threads_of_a_process_have_names_of_their_own():
    """Each begins with its process's, and that with its machine's."""
    names = [owner.this_thread()]
    other = threading.Thread(target=lambda: names.append(owner.this_thread()))
    other.start()
    other.join()
    assert len(set(names)) == 2
    assert all(name.startswith(f"{owner.this_process()}/") for name in names)
    assert owner.this_process() == f"{owner.this_machine()}/{os.getpid()}"


def test_a_process_lives_as_long_as_its_id_is_there():
    """Of this machine; nothing is known of those of another."""
    assert owner.lives_here(owner.this_process())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not owner.lives_here(f"{owner.this_machine()}/{ended.pid}")
    elsewhere = f"elsewhere/1/{os.getpid()}"
    assert not owner.is_here(elsewhere)
    assert not owner.lives_here(elsewhere)


@pytest.mark.parametrize("pid", ["", "none", "9" * 30, "1.5"])
def test_what_is_no_id_is_no_living_process(pid):
    """Whatever a message says."""
    assert not owner.lives_here(f"{owner.this_machine()}/{pid}")


def test_a_process_of_another_user_lives(monkeypatch):
    """It may not be sent a signal, so it is there."""

    def refuse(_pid, _signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert owner.lives_here(f"{owner.this_machine()}/1")
