"""A thread pool that ends its process when a task escapes it, or does not end.

Celery's own drops an exception that escapes together with the thread's slot, without a word: after
as many of them as there are threads the worker answers pings and does nothing. And it has no limits
of time: a thread cannot be killed. So the process ends, and its supervisor starts it again.
"""

from __future__ import annotations

import faulthandler
import math
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

import structlog
from celery.concurrency.thread import TaskPool

from scanner.settings import load_settings

log = structlog.get_logger(__name__)

#: Seconds between two looks at the running tasks.
_LOOK_SECONDS: Final = 1.0


class FailFastThreadPool(TaskPool):
    """Celery's thread pool; a leaked slot or a task without an end ends the worker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limit = float(load_settings().task_limit)
        #: Thread -> when its task began, on the monotonic clock.
        self._began: dict[int, float] = {}
        self._stopped = threading.Event()

    def on_start(self) -> None:
        """Start to watch the tasks."""
        super().on_start()
        threading.Thread(target=self._watch, name="task-limit", daemon=True).start()

    def on_stop(self) -> None:
        """Wait for the tasks that run, watched to the last."""
        super().on_stop()
        self._stopped.set()

    def on_apply(self, target: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Submit a task and watch its time, and what becomes of its thread's slot."""
        result = super().on_apply(self._timed(target), *args, **kwargs)
        result.f.add_done_callback(_end_process_if_leaked)
        return result

    def _timed(self, target: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            thread = threading.get_ident()
            self._began[thread] = time.monotonic()
            try:
                return target(*args, **kwargs)
            finally:
                del self._began[thread]

        return run

    def _watch(self) -> None:
        """End the process when a task runs for too long, also one that lets no thread run."""
        while not self._stopped.is_set():
            # Set anew at each look; it needs no Python to go off.
            faulthandler.dump_traceback_later(self._limit + _LOOK_SECONDS, exit=True)
            oldest = min(list(self._began.values()), default=math.inf)
            if time.monotonic() - oldest > self._limit:
                log.critical("a task has no end; this worker ends", limit=self._limit)
                faulthandler.dump_traceback()
                os.kill(os.getpid(), signal.SIGKILL)
            self._stopped.wait(_LOOK_SECONDS)
        faulthandler.cancel_dump_traceback_later()


def _end_process_if_leaked(future: Future[Any]) -> None:
    if future.cancelled() or future.exception() is None:
        return
    log.critical("a task escaped its thread; this worker ends", cause=repr(future.exception()))
    os.kill(os.getpid(), signal.SIGTERM)
