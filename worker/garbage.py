"""Garbage of a worker process: looked for rarely, because a scan makes many objects and no cycles.

Python looks through all objects whenever some hundreds are new. A market's rows are a hundred
thousand, and none of them is garbage: the looks found nothing and took a fifth of the time.
"""

from __future__ import annotations

import gc
from typing import Final

#: New objects after which the young ones are looked through; looks after which older ones are.
_THRESHOLDS: Final = (100_000, 20, 100)


def collect_rarely() -> None:
    """Leave alone what lives now, modules above all, and look for garbage less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
