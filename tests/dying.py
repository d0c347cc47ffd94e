"""A control worker with this module is killed as it writes a report, once, if FAULTS says so.

`before`: what it was about to write is left beside that file. `after`: the report is written, and
its scan is not over.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from scanner.results.redis_store import RedisReportStore
from scanner.results.wire import encode_report

_PATH = Path(os.environ["FAULTS"])
_save = RedisReportStore.save


def _told(word: str) -> bool:
    told = _PATH.exists() and _PATH.read_text() == word
    if told:
        _PATH.unlink()
    return told


def _dying(self, report):
    if _told("before"):
        _PATH.with_suffix(".bytes").write_bytes(encode_report(report))
        os.kill(os.getpid(), signal.SIGKILL)
    _save(self, report)
    if _told("after"):
        os.kill(os.getpid(), signal.SIGKILL)


RedisReportStore.save = _dying
