"""Candlestick patterns: open, high, low and close come in, TA-Lib's signal of each bar goes out.

TA-Lib takes one symbol at a time, so here alone a kernel goes from symbol to symbol. Its package
brings pandas, half a second at the start of a process: it is imported for the first pattern.
"""

from __future__ import annotations

import dataclasses
import functools
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.errors import ConfigError
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.memory import window
from scanner.indicators.patterns.catalogue import Pattern


@functools.cache
def library(name: str = "talib") -> ModuleType:
    """Return TA-Lib, or the part of it called `name`; ConfigError where it cannot be loaded."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"columns cdl_... need TA-Lib, which cannot be loaded here ({error}): "
            "install it with `pip install TA-Lib`, or ask for none of them"
        ) from error


def recognise(pattern: Pattern, block: BarBlock, params: Any) -> tuple[FloatArray, ...]:
    """Return the signal of `pattern`, one of the numbers of its unit: 0 where it is not seen.

    Formula: the function of TA-Lib, with TA-Lib's own measures of a long body, a short shadow and
    the like. The sign is TA-Lib's and need not be a direction: a doji is always 100. Warm-up:
    `lookback` bars. Flat prices: a doji, and none of the others. ConfigError: no TA-Lib.
    """
    function = getattr(library(), pattern.function)
    chosen = dataclasses.asdict(params)
    prices = np.ascontiguousarray(block.values[:4])
    out = np.full_like(block.close, np.nan)
    width, lookback = out.shape[1], pattern.lookback
    for row, count in enumerate(block.counts.tolist()):
        if count > lookback:
            start = width - count
            signal = function(*prices[:, row, start:], **chosen)
            out[row, start + lookback :] = signal[lookback:]
    return (out,)


def indicator(name: str, pattern: Pattern) -> Indicator[Any]:
    """Return the indicator of `pattern` under its column's name.

    A value is that of its last `lookback` + 1 bars alone. TA-Lib keeps running totals of bodies
    and shadows, whose rounding may decide where a body is just as long as it has to be.
    """
    bars = pattern.lookback + 1
    optional = tuple(field.name for field in dataclasses.fields(pattern.params))
    return Indicator(
        name=name,
        params=pattern.params,
        kernel=functools.partial(recognise, pattern),
        formula=f"candlestick pattern, as TA-Lib {pattern.function}",
        outputs=(
            Output(
                stem=name,
                arguments=(),
                optional=optional,
                unit=pattern.unit,
                scale="oscillator",
                bars=lambda _params: bars,
                memory=lambda _params: window(bars),
            ),
        ),
    )
