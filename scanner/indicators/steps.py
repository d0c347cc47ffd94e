"""The last steps of a recursion: a block and a column come in, what leads to its values goes out.

For people who check a number by hand: each rule says how a bar's value follows from the bar
before it, and the parts hold the numbers that it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.compute import compute
from scanner.indicators.indicator import Column
from scanner.indicators.lags import growth, shift
from scanner.indicators.momentum.kama import efficiency, weights
from scanner.indicators.momentum.rsi import gains_and_losses
from scanner.indicators.prices import close_location, true_range
from scanner.indicators.recursive import ema, mean_of_moves, wilder
from scanner.indicators.trend.adx import movements, ratio

Parts = dict[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What leads to a column's values."""

    #: How a value follows from the parts and from the bar before.
    rule: str
    #: Name -> (symbols, bars) numbers, the column's own last.
    parts: Parts


def steps_of(block: BarBlock, column: Column) -> Steps | None:
    """Return the steps of `column`, or None where it is no recursion or has no rule here."""
    known = _RULES.get(column.indicator.name)
    if known is None:
        return None
    rule, parts_of = known
    with np.errstate(all="ignore"):
        parts = parts_of(block, column.params)
    return Steps(
        rule=rule.format(**column.parameters),
        parts=parts | {column.name: compute(block, [column.name])[column.name]},
    )


def _ema(block: BarBlock, _params: Any) -> Parts:
    return {"close": block.close}


def _macd(block: BarBlock, params: Any) -> Parts:
    fast, slow = (ema(block.close, span) for span in (params.fast, params.slow))
    return {"close": block.close, "fast": fast, "slow": slow, "line": fast - slow}


def _rsi(block: BarBlock, params: Any) -> Parts:
    gains, losses = gains_and_losses(block)
    means = (mean_of_moves(moves, params.window) for moves in (gains, losses))
    names = ("close", "gain", "loss", "mean gain", "mean loss")
    return dict(zip(names, (block.close, gains, losses, *means), strict=True))


def _atr(block: BarBlock, _params: Any) -> Parts:
    return {"close": block.close, "true range": true_range(block)}


def _adx(block: BarBlock, params: Any) -> Parts:
    rising, falling, span = movements(block)
    smooth = wilder(span, params.window)
    plus, minus = (100.0 * ratio(wilder(x, params.window), smooth) for x in (rising, falling))
    strength = 100.0 * ratio(np.abs(plus - minus), plus + minus)
    names = ("+DM", "-DM", "true range", "+DI", "-DI", "DX")
    return dict(zip(names, (rising, falling, span, plus, minus, strength), strict=True))


def _kama(block: BarBlock, params: Any) -> Parts:
    ratio = efficiency(block, params)
    return {"close": block.close, "efficiency": ratio, "weight": weights(ratio, params)}


def _obv(block: BarBlock, _params: Any) -> Parts:
    falls = block.close < shift(block.close, 1)
    return {"close": block.close, "signed volume": block.volume * (1.0 - 2.0 * falls)}


def _adi(block: BarBlock, _params: Any) -> Parts:
    place = close_location(block)
    return {"place": place, "volume": block.volume, "flow": place * block.volume}


def _vpt(block: BarBlock, _params: Any) -> Parts:
    move = growth(block.close, 1)
    return {"return": move, "volume": block.volume, "flow": move * block.volume}


def _nvi(block: BarBlock, _params: Any) -> Parts:
    return {"return": growth(block.close, 1), "volume": block.volume}


_EMA: Final = "before + 2 / ({window} + 1) * (close - before)"
_MACD: Final = (
    "line = fast - slow, each mean = before + 2 / (span + 1) * (close - before) of span {fast} "
    "and {slow}; signal the same of the line, span {signal}"
)
_RSI: Final = (
    "each mean = before + (value - before) / {window}; "
    "rsi = 100 * mean gain / (mean gain + mean loss)"
)
_ADX: Final = (
    "DM and true range smoothed: before + (value - before) / {window}; DI = 100 * DM / true "
    "range; DX = 100 * |+DI - -DI| / (+DI + -DI); adx = before + (DX - before) / {window}"
)

#: Indicator -> its rule in words, and the numbers that the rule takes.
_RULES: Final[Mapping[str, tuple[str, Callable[[BarBlock, Any], Parts]]]] = {
    "ema": (_EMA, _ema),
    "macd": (_MACD, _macd),
    "rsi": (_RSI, _rsi),
    "atr": ("before + (true range - before) / {window}", _atr),
    "adx": (_ADX, _adx),
    "kama": ("before + weight * (close - before)", _kama),
    "obv": ("before + signed volume", _obv),
    "adi": ("before + flow, flow = place of the close in its bar * volume", _adi),
    "vpt": ("before + flow, flow = return * volume", _vpt),
    "nvi": ("before * (1 + return) where volume is below that of the bar before", _nvi),
}
