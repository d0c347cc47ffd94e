"""A control worker with this module takes messages for lost much sooner than it does elsewhere.

For tests in which deadlines are shortened as much: `FACTOR`.
"""

from __future__ import annotations

from typing import Final

from scheduler import reconcile

FACTOR: Final = 24

reconcile.STALLED_AFTER /= FACTOR
