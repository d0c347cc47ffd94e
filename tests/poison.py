"""A worker with this module dies at once where it has to compute the symbol POISON names."""

from __future__ import annotations

import os
import signal

from worker import guard

_scan_batch = guard.scan_batch


def _deadly(symbols, request, tools):
    if os.environ["POISON"] in symbols:
        os.kill(os.getpid(), signal.SIGKILL)
    return _scan_batch(symbols, request, tools)


guard.scan_batch = _deadly
