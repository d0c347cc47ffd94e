"""RedBeat with the broker's address, which beat alone is told.

Workers show their settings to `celery inspect conf`, and so to Flower; Celery masks the broker's
address there, and would not mask RedBeat's.
"""

from __future__ import annotations

from typing import Any

from redbeat import RedBeatScheduler


class Scheduler(RedBeatScheduler):
    """The stock scheduler, on the broker's Redis."""

    def __init__(self, app: Any, **kwargs: Any) -> None:
        app.conf.redbeat_redis_url = app.conf.broker_url
        super().__init__(app, **kwargs)
