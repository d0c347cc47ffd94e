"""The Celery app: `celery --app worker ...` loads it; settings are read at its first use."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_ready

from scanner.settings import load_settings
from worker.config import celery_config
from worker.garbage import collect_rarely
from worker.telemetry import configure_logging
from worker.transport import use_checked_transport


def _defaults() -> dict[str, Any]:
    return celery_config(load_settings())


use_checked_transport()
app = Celery("market_scanner", set_as_current=True)
app.add_defaults(_defaults)


@setup_logging.connect(weak=False)
def _set_up_logging(**_: Any) -> None:
    configure_logging()


@worker_ready.connect(weak=False)
def _leave_what_was_imported_alone(**_: Any) -> None:
    collect_rarely()
