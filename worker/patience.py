"""Work for which Redis was away: it is done again when Redis is back, within limits.

A task that gave up at once would be given out again only when nothing has moved for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from scanner.errors import StoreUnavailable

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

#: Seconds that a task waits for Redis, beside what it takes itself: below the limit of a task.
PATIENCE: Final = 90.0
_PAUSE: Final = 0.5


def _log(error: StoreUnavailable) -> None:
    log.warning("waiting for Redis", cause=str(error))


def patiently(
    work: Callable[[], Result],
    patience: float = PATIENCE,
    tell: Callable[[StoreUnavailable], object] = _log,
) -> Result:
    """Do `work`, again and again while Redis is away; StoreUnavailable if it stays away.

    `work` may be done any number of times, in part or as a whole. `tell` gets the error of each.
    """
    ends = time.monotonic() + patience
    while True:
        try:
            return work()
        except StoreUnavailable as error:
            if not error.passes or time.monotonic() > ends:
                raise
            tell(error)
        time.sleep(_PAUSE)
