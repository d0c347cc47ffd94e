"""Whether compiling would pay: two kernels by numba beside ours, what it starts with included.

numba is no dependency. This needs it on the path:

    pip install --no-deps --target FOLDER numba llvmlite
    PYTHONPATH=FOLDER .venv/bin/python -m benchmarks.compiled
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Callable
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.console import Console

from benchmarks import agreement, environment, market, timing
from benchmarks.sizes import FULL
from benchmarks.tables import Findings
from scanner.bars.block import BarBlock, FloatArray, stack
from scanner.indicators.compute import compute

_EMA: Final = "ema_20"
_PSAR: Final = "psar_0.02_0.2"

Step = Callable[[], object]


def findings() -> Findings:
    """Return the table: a first process that compiles, then those that load what it compiled."""
    with TemporaryDirectory() as cache:
        env = environment.ONE_THREAD | {"NUMBA_CACHE_DIR": cache}
        cold = environment.child("benchmarks.compiled", "measure", env=env)
        warm = [
            environment.child("benchmarks.compiled", "measure", env=env) for _ in range(FULL.runs)
        ]
    median = {name: statistics.median(one[name] for one in warm) for name in cold}
    rows = [(name, f"{cold[name]:.2f}", f"{median[name]:.2f}") for name in cold]
    return Findings(
        title=f"numba, blocks of {FULL.block} symbols x {FULL.sessions[0]} sessions",
        heads=("milliseconds", "nothing compiled yet", "from its cache"),
        rows=rows,
    )


def measure() -> dict[str, float]:
    """Return the milliseconds of each step in this process, which has not loaded numba yet."""
    block = stack(market.series(market.bars(8, FULL.block, FULL.sessions[0])))
    loaded: dict[str, Any] = {}

    def load() -> None:
        loaded["kernels"] = import_module("benchmarks.compiled_kernels")

    spent = {"importing numba": timing.seconds(load)}
    jitted = _jitted(loaded["kernels"], block)
    for name, call in jitted.items():
        spent[f"first call of {name}"] = timing.seconds(call)
    ours = {name: _kernel(block, name) for name in jitted}
    for name, call in jitted.items():
        agreement.check(f"numba's {name}", ours[name]()[:, -1], call()[-1])
    steps: dict[str, Step] = {f"{name}, numba": call for name, call in jitted.items()}
    steps |= {f"{name}, kernel": call for name, call in ours.items()}
    spent |= timing.interleaved(steps, FULL)
    return {name: 1e3 * seconds for name, seconds in spent.items()}


def _jitted(kernels: Any, block: BarBlock) -> dict[str, Callable[[], FloatArray]]:
    high, low, close = block.high.T, block.low.T, block.close.T
    return {
        _EMA: lambda: kernels.ema(close, 20),
        _PSAR: lambda: kernels.psar(high, low, close, 0.02, 0.2),
    }


def _kernel(block: BarBlock, name: str) -> Callable[[], FloatArray]:
    return lambda: compute(block, [name])[name]


if __name__ == "__main__":
    environment.as_worker()
    if sys.argv[1:] == ["measure"]:
        sys.stdout.write(json.dumps(measure()))
    else:
        findings().show(Console(width=int(os.environ.get("COLUMNS", "100"))), markdown=True)
