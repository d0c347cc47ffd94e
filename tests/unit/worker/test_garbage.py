"""What a worker does about garbage: less often, but it still does."""

from __future__ import annotations

import subprocess
import sys

#: Makes garbage in cycles until it is found, and counts what lives then.
CYCLES = """
import gc, weakref
from worker.garbage import collect_rarely

class Node:
    pass

collect_rarely()
first, made = Node(), 0
first.itself = first
gone = weakref.ref(first)
del first
while gone() is not None and made < 10_000_000:
    node = Node()
    node.itself = node
    made += 1
print(made, gc.get_freeze_count())
"""


def test_garbage_in_cycles_is_still_found():
    """After more new objects than Python's own hundreds, but long before memory is full."""
    asked = [sys.executable, "-c", CYCLES]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    made, frozen = map(int, done.stdout.split())
    assert 10_000 < made < 1_000_000
    assert frozen > 1_000
