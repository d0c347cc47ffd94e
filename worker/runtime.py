"""The runtime of this worker process: made at the first task, shared by all its threads.

Files of bars may change while a worker lives: then the name of their source changes, and a new
runtime reads them anew.
"""

from __future__ import annotations

import functools
import threading
import time
from typing import Final

from scanner import bootstrap
from scanner.settings import Settings, load_settings

_LOCK: Final = threading.Lock()


@functools.cache
def _settings() -> Settings:
    return load_settings()


@functools.lru_cache(maxsize=1)
def _source(_second: int) -> str:
    """Return the name of the source as it is in this second."""
    return bootstrap.source_name(_settings())


@functools.lru_cache(maxsize=1)
def _made(_source: str) -> bootstrap.Runtime:
    return bootstrap.runtime(_settings())


def current() -> bootstrap.Runtime:
    """Return the runtime of this process; ConfigError if a setting keeps it from being made."""
    with _LOCK:
        return _made(_source(int(time.monotonic())))


def matching(found: bootstrap.Runtime, source: str) -> bootstrap.Runtime:
    """Return `found`, or a new one if files of bars have changed in this very second."""
    if found.source == source or found.settings.provider != "files":
        return found
    with _LOCK:
        _source.cache_clear()
        return _made(_source(int(time.monotonic())))
