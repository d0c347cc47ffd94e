"""Indicators that all have: the kernels beside TA-Lib's C functions and beside polars-talib.

Started as a process of its own for each number of threads that polars may use.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import talib

from benchmarks import agreement, calls, environment, market, timing
from benchmarks.calls import Call
from benchmarks.sizes import SIZES, Sizes
from benchmarks.tables import Comparison, Findings, compared
from scanner.bars.block import FIELDS, BarSeries, FloatArray, stack
from scanner.indicators.compute import compute

#: How many times faster the kernels have to be.
LEAST: Final = 2.0

#: What is compared, by its name in the table.
SETS: Final[dict[str, tuple[Call, ...]]] = {"default": calls.DEFAULT, "every": calls.EVERY}

#: Bars after which recursions that begin in other ways have met, and the symbols looked at.
_CHECKED: Final = (800, 64)

_POLARS: Final = "polars-talib"
_TA_LIB: Final = "TA-Lib"

_NOTE: Final = (
    "default: the columns of a scan that all three have; every: all columns that they have. "
    "TA-Lib: its C functions, symbol by symbol, on arrays in memory. polars-talib: all columns in "
    'one select over the long table with .over("symbol"), or in one group_by, eager or lazy, '
    "whichever is the fastest."
)

Contenders = dict[str, Callable[[], object]]


def findings(sizes: Sizes) -> Findings:
    """Return the table; each line's times are of one process, in which they took turns."""
    alone = environment.child("benchmarks.rivals", sizes.name)
    installed = find_spec("polars_talib") is not None
    free = environment.child("benchmarks.rivals", sizes.name, env={}) if installed else {}
    rows = []
    for name, chosen in SETS.items():
        what = f"{len(calls.columns(chosen))} columns ({name}), {sizes.block} symbols"
        for sessions in sizes.sessions:
            place = f"{name} {sessions}"
            rows += _rows(what, sessions, alone[place], "1 thread")
            if installed:
                free[place].pop(_TA_LIB)
                rows += _rows(what, sessions, free[place], "all cores")
    notes = [_NOTE]
    if not installed:
        notes.append("polars-talib is not installed: `make bench` installs it.")
    return compared("Indicators that TA-Lib and polars-talib have", rows, notes)


def _rows(what: str, sessions: int, median: dict[str, float], threads: str) -> list[Comparison]:
    ours = median.pop("kernels")
    rows = []
    if _TA_LIB in median:
        rows.append((_TA_LIB, median.pop(_TA_LIB)))
    if median:
        fastest = min(median, key=median.__getitem__)
        rows.append((f"{_POLARS}, {fastest}, {threads}", median[fastest]))
    return [
        Comparison(
            what=what, sessions=sessions, ours=ours, beside=beside, theirs=theirs, least=LEAST
        )
        for beside, theirs in rows
    ]


def measure(sizes: Sizes) -> dict[str, dict[str, float]]:
    """Return the median seconds of each contender by set and sessions, after a check of all."""
    check(calls.EVERY)
    return {
        f"{name} {sessions}": _medians(sizes, chosen, sessions)
        for name, chosen in SETS.items()
        for sessions in sizes.sessions
    }


def _medians(sizes: Sizes, chosen: Sequence[Call], sessions: int) -> dict[str, float]:
    many = market.series(market.bars(4, sizes.block, sessions))
    block, names = stack(many), calls.columns(chosen)
    contenders: Contenders = {
        "kernels": lambda: compute(block, names),
        _TA_LIB: partial(ta_lib, many, chosen),
    }
    rival = _polars()
    if rival:
        contenders |= rival.contenders(many, chosen)
    return timing.interleaved(contenders, sizes)


def check(chosen: Sequence[Call]) -> None:
    """Raise Disagreement unless all compute the same for `chosen`."""
    sessions, symbols = _CHECKED
    # Prices that are never equal: of ties each has its own opinion.
    many = market.series(market.bars(5, symbols, sessions, cents=False))
    found = compute(stack(many), calls.columns(chosen))
    answers = {_TA_LIB: _last_of_ta_lib(many, chosen)}
    rival = _polars()
    if rival:
        answers[_POLARS] = rival.last_values(many, chosen)
    for library, last in answers.items():
        for name, value in last.items():
            agreement.check(f"{name} and {library}'s", found[name][:, -1], value)


def _polars() -> Any:
    return import_module("benchmarks.polars_rival") if find_spec("polars_talib") else None


def ta_lib(many: Sequence[BarSeries], chosen: Sequence[Call]) -> None:
    """Call the functions of `chosen` for each symbol."""
    functions = [(_function(call), call.inputs, tuple(call.numbers.values())) for call in chosen]
    for one in many:
        bars = dict(zip(FIELDS, one.values, strict=True))
        for function, inputs, numbers in functions:
            function(*[bars[name] for name in inputs], *numbers)


def _function(call: Call) -> Callable[..., Any]:
    # What talib shows is wrapped for pandas and polars, which costs time.
    return inspect.unwrap(getattr(talib, call.function))


def _last_of_ta_lib(many: Sequence[BarSeries], chosen: Sequence[Call]) -> dict[str, FloatArray]:
    last: dict[str, list[float]] = {name: [] for name in calls.columns(chosen)}
    for one in many:
        bars = dict(zip(FIELDS, one.values, strict=True))
        for call in chosen:
            inputs = [bars[name] for name in call.inputs]
            found = _function(call)(*inputs, *call.numbers.values())
            outputs = found if isinstance(found, tuple) else (found,)
            for name, output in zip(call.columns, outputs, strict=False):
                last[name].append(output[-1] * call.unit)
    return {name: np.array(values) for name, values in last.items()}


if __name__ == "__main__":
    environment.as_worker()
    sys.stdout.write(json.dumps(measure(SIZES[sys.argv[1]])))
