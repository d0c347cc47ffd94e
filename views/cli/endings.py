"""Signals that end a command: SIGINT and SIGTERM unwind it, wherever it is."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, NoReturn

ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)
#: Seconds after which a signal is sent again that came where Python drops what it raises.
_AGAIN: Final = 0.05


@contextmanager
def unwound_by_signals(error: BaseException) -> Iterator[None]:
    """Let a signal raise `error`, so that what was started is stopped.

    What it raises in a destructor is dropped by Python: about one of fifteen signals to a command
    that connects to Redis just then. Such a signal is sent again.
    """

    def unwind(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise error

    def dropped(what: Any) -> None:
        if what.exc_value is error:
            again = threading.Timer(_AGAIN, os.kill, (os.getpid(), signal.SIGINT))
            again.daemon = True
            again.start()
        else:
            told(what)

    # A shell's background job ignores SIGINT, so that it is set here too.
    before = {number: signal.signal(number, unwind) for number in ENDINGS}
    told, sys.unraisablehook = sys.unraisablehook, dropped
    try:
        yield
    finally:
        sys.unraisablehook = told
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep a second Ctrl-C from leaving processes behind while they are being stopped."""
    ignored = {number: signal.signal(number, signal.SIG_IGN) for number in ENDINGS}
    try:
        yield
    finally:
        for number, before in ignored.items():
            signal.signal(number, before)
