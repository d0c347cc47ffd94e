"""What compiling gives: each loop by C beside the same loop by numpy, on one block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Final

from benchmarks import market, timing
from benchmarks.sizes import Sizes
from benchmarks.tables import Findings, duration
from scanner.bars.block import BarBlock, stack
from scanner.indicators import loops
from scanner.indicators.loops import by_numpy

Loop = Callable[[ModuleType, BarBlock], object]

#: Loops as the indicators of a scan call them.
_LOOPS: Final[Mapping[str, Loop]] = {
    "level_mean, ema_20": lambda by, block: by.level_mean(block.close, 2.0 / 21.0, 20),
    "flow_mean, rsi_14": lambda by, block: by.flow_mean(block.volume, 1.0 / 14.0, 1),
    "wilder_mean, atr_14": lambda by, block: by.wilder_mean(block.close, 14),
    "adaptive_mean, kama_10_2_30": lambda by, block: by.adaptive_mean(
        block.close, block.open / (block.open + block.close), 10
    ),
    "mean_over_gaps, stc": lambda by, block: by.mean_over_gaps(block.close, 23),
    "running_total, obv": lambda by, block: by.running_total(block.volume),
    "mean_deviation, cci_20": lambda by, block: by.mean_deviation(block.close, block.open, 20),
    "rolling_mean, sma_50": lambda by, block: by.rolling_mean(block.close, 50),
    "rolling_max, ichimoku_b_52": lambda by, block: by.rolling_max(block.high, 52),
    "rolling_age_of_max, aroon_up_25": lambda by, block: by.rolling_age_of_max(block.high, 26),
    "parabolic_stop, psar_0.02_0.2": lambda by, block: by.parabolic_stop(
        block.high, block.low, block.close, 0.02, 0.2
    ),
}


def findings(sizes: Sizes) -> Findings:
    """Return the table; a test holds both to the same bits."""
    title = f"Loops by C and by numpy, {sizes.block} symbols x {sizes.sessions[0]} sessions"
    heads = ("loop, as in", "C", "numpy", "ratio")
    if not loops.COMPILED:
        return Findings(title=title, heads=heads, rows=[], notes=["They are not compiled here."])
    block = stack(market.series(market.bars(11, sizes.block, sizes.sessions[0])))
    rows = []
    for name, loop in _LOOPS.items():
        ways = {
            way: lambda loop=loop, module=module: loop(module, block)
            for way, module in (("C", loops), ("numpy", by_numpy))
        }
        median = timing.interleaved(ways, sizes)
        ratio = median["numpy"] / median["C"]
        rows.append((name, duration(median["C"]), duration(median["numpy"]), f"{ratio:.0f}"))
    return Findings(title=title, heads=heads, rows=rows)
