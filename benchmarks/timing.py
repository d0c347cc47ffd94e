"""The clock of all benchmarks: contenders take turns, and the median turn of each counts."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping

from benchmarks.sizes import Sizes


def interleaved(contenders: Mapping[str, Callable[[], object]], sizes: Sizes) -> dict[str, float]:
    """Return the median seconds of each contender over `sizes.runs` turns, after a warm-up.

    They run A B C A B C ..., so that what else happens on the machine happens to all of them.
    A turn is one call, or as many as take `sizes.turn` seconds; its seconds are those of a call.
    """
    calls = {name: _calls_a_turn(one, sizes.turn) for name, one in contenders.items()}
    turns: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(sizes.runs):
        for name, contender in contenders.items():
            turns[name].append(seconds(contender, calls[name]))
    return {name: statistics.median(spent) for name, spent in turns.items()}


def turns(contenders: Mapping[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """Return the median of what each contender says its turn took, after a warm-up.

    For what runs in other processes, where the time of a call is not what is asked for.
    """
    for contender in contenders.values():
        contender()
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, contender in contenders.items():
            spent[name].append(contender())
    return {name: statistics.median(values) for name, values in spent.items()}


def seconds(action: Callable[[], object], calls: int = 1) -> float:
    """Return what a call of `action` takes, without a collection of garbage in it."""
    gc.collect()
    gc.disable()
    try:
        started = time.perf_counter()
        for _ in range(calls):
            action()
        return (time.perf_counter() - started) / calls
    finally:
        gc.enable()


def _calls_a_turn(contender: Callable[[], object], turn: float) -> int:
    first = seconds(contender)
    return 1 if first >= turn else math.ceil(turn / seconds(contender))
