"""Claims in Redis: one caller does what several want, and a claim that was left ends by itself.

A claim holds the name of the thread that has it. One that a thread could not give up, for Redis was
away, is still its own: it must not wait for itself.
"""

from __future__ import annotations

from typing import cast

import redis

from scanner.owner import this_thread


def claim(client: redis.Redis, key: str, seconds: int) -> bool:
    """Return whether this thread has the claim, for so many seconds from when it got it."""
    owner = this_thread()
    pipe = client.pipeline(transaction=False)
    pipe.set(key, owner, nx=True, ex=seconds)
    pipe.get(key)
    return bool(pipe.execute()[1] == owner.encode())


def release(client: redis.Redis, key: str, process: str = "") -> None:
    """Give up this thread's claim, or that of any thread of a process; nobody else's."""
    held = cast("bytes | None", client.get(key))
    holder = "" if held is None else held.decode(errors="replace")
    if holder.startswith(f"{process}/") if process else holder == this_thread():
        client.delete(key)
