"""Turns: the threads of a process compute one after the other, so that the first is done early.

Threads that asked at the same time get their answers at the same time. Sharing the processor they
would all be done at the end, and all wait for the next answer while the processor rests. One after
the other, the first asks for its next answer while the others compute.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final


class Turns:
    """The turns of one process; a thread waits for its own where it says so, within a stretch."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._thread = _Thread()

    @contextmanager
    def stretch(self) -> Iterator[None]:
        """Let a turn that begins in here last until the end of it."""
        self._thread.in_stretch = True
        try:
            yield
        finally:
            self.end()
            self._thread.in_stretch = False

    def begin(self) -> None:
        """Wait for this thread's turn, if it is in a stretch and has no turn yet."""
        if self._thread.in_stretch and not self._thread.has_turn:
            self._turn.acquire()
            self._thread.has_turn = True

    def end(self) -> None:
        """Give up this thread's turn, if it has one: it is about to wait for something else."""
        if self._thread.has_turn:
            self._thread.has_turn = False
            self._turn.release()


class _Thread(threading.local):
    in_stretch = False
    has_turn = False


#: Those of this process.
TURNS: Final = Turns()
