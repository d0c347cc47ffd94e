"""A thread pool that ends its process when a task escapes it.

Celery's own drops such an exception together with the thread's slot, without a word: after as
many of them as there are threads the worker answers pings and does nothing.
"""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future
from typing import Any

import structlog
from celery.concurrency.thread import TaskPool

log = structlog.get_logger(__name__)


class FailFastThreadPool(TaskPool):
    """Celery's thread pool; a leaked slot ends the worker, and its supervisor restarts it."""

    def on_apply(self, *args: Any, **kwargs: Any) -> Any:
        """Submit a task and watch what becomes of its thread's slot."""
        result = super().on_apply(*args, **kwargs)
        result.f.add_done_callback(_end_process_if_leaked)
        return result


def _end_process_if_leaked(future: Future[Any]) -> None:
    if future.cancelled() or future.exception() is None:
        return
    log.critical("a task escaped its thread; this worker ends", cause=repr(future.exception()))
    os.kill(os.getpid(), signal.SIGTERM)
