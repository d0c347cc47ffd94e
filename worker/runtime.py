"""The runtime of this worker process: made at the first task, shared by all its threads."""

from __future__ import annotations

import functools
import threading
from typing import Final

from scanner import bootstrap

_LOCK: Final = threading.Lock()


@functools.cache
def _made() -> bootstrap.Runtime:
    return bootstrap.runtime()


def current() -> bootstrap.Runtime:
    """Return the runtime of this process."""
    with _LOCK:
        return _made()
