"""Who claims something in Redis: the machine, the process and the thread, as texts to compare."""

from __future__ import annotations

import functools
import os
import socket
import threading
from pathlib import Path


@functools.cache
def this_machine() -> str:
    """Return what names this machine until it starts anew, and its space of process ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:  # no Linux
        return socket.gethostname()


def this_process() -> str:
    """Return what names this process among those of all machines."""
    return f"{this_machine()}/{os.getpid()}"


def this_thread() -> str:
    """Return what names this thread among those of all processes."""
    return f"{this_process()}/{threading.get_native_id()}"


def is_here(process: str) -> bool:
    """Return whether a process is, or was, one of this machine."""
    return process.rpartition("/")[0] == this_machine()


def lives_here(process: str) -> bool:
    """Return whether a process of this machine has the id of that one."""
    if not is_here(process):
        return False
    try:
        os.kill(int(process.rpartition("/")[2]), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:  # of another user
        return True
    return True
