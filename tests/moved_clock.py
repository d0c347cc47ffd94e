"""The time in a worker with this module: the file FAULTS says it anew before each task.

It goes on from there until the file says another.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import time_machine
from celery.signals import task_prerun

_PATH = Path(os.environ["FAULTS"])
_START = dt.datetime.fromisoformat(_PATH.read_text())

_travel = time_machine.travel(_START, tick=True)
_clock = _travel.start()
_said = [_START]


@task_prerun.connect(weak=False)
def _move(**_: Any) -> None:
    said = dt.datetime.fromisoformat(_PATH.read_text())
    if said != _said[0]:
        _said[0] = said
        _clock.move_to(said)
