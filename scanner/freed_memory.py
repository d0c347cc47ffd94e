"""Memory of freed arrays, which a process that scans keeps for the next block."""

from __future__ import annotations

import ctypes
from typing import Final

#: Options of glibc's mallopt: bytes at the end of the heap from which on they go back to the
#: kernel; the size of an array that gets pages of its own, for which glibc takes no more; and one
#: heap for all threads, so that the next block finds what another thread has freed.
_KEPT_MEMORY: Final = {-1: 256 << 20, -3: 32 << 20, -8: 1}


def keep_freed_memory() -> None:
    """Let this process keep the memory of freed arrays, where the C library is glibc.

    The arrays of a block are larger than what malloc keeps by itself: each operation would get
    its pages from the kernel anew, and that takes longer than the operation.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, size in _KEPT_MEMORY.items():
            mallopt(option, size)
