"""What channels have in common: a middle and a half width in, bands, width, place and flags out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import numpy as np

from scanner.bars.block import FloatArray
from scanner.indicators.indicator import Number, Output, Scale, Unit
from scanner.indicators.memory import Memory
from scanner.indicators.window import only_where

P = TypeVar("P")

#: What rounding may move a band by, relative to the price.
_ROUNDING: Final = 1e-12

#: Parts of a channel in the order of `bands`, with the letters that end their names in `ta`.
_PARTS: Final[tuple[tuple[str, str, Unit, Scale], ...]] = (
    ("upper", "h", "price", "price"),
    ("middle", "m", "price", "price"),
    ("lower", "l", "price", "price"),
    ("width", "w", "percent", "oscillator"),
    ("percent", "p", "ratio", "ratio"),
    ("above", "hi", "flag 0 or 1", "ratio"),
    ("below", "li", "flag 0 or 1", "ratio"),
)


def bands(close: FloatArray, middle: FloatArray, half: FloatArray) -> tuple[FloatArray, ...]:
    """Return upper, middle, lower, width, percent, above and below of a channel around `middle`.

    `half` is the distance from the middle to each band, in price. The width is in percent of the
    middle; `percent` is the close's place, 0 at the lower band and 1 at the upper one, NaN in a
    channel of width 0; the flags are 1.0 where the close is outside the channel, else 0.0.
    """
    width = half / middle
    width *= 200.0
    # From the middle, not from the lower band: the rounding of the bands would add to the
    # rounding of the mean, and both weigh more the closer the bands are.
    percent = close - middle
    percent /= half
    percent *= 0.5
    percent += 0.5
    np.copyto(percent, np.nan, where=half == 0.0)
    upper, lower = middle + half, middle - half
    # Prices are cents, and a close on a band is not outside of it for the band's rounding.
    margin = close * _ROUNDING
    known = ~np.isnan(half)
    above = only_where((close > upper + margin).astype(np.float64), known)
    below = only_where((close < lower - margin).astype(np.float64), known)
    return upper, middle, lower, width, percent, above, below


def channel_outputs(
    stem: str,
    arguments: tuple[str, ...],
    bars: Callable[[P], int],
    memory: Callable[[P], Memory],
    ta: Mapping[tuple[Number, ...], str],
) -> tuple[Output[P], ...]:
    """Return the outputs of `bands`; `ta` holds what its columns begin with, by parameters."""
    return tuple(
        Output(
            stem=f"{stem}_{part}",
            arguments=arguments,
            unit=unit,
            scale=scale,
            bars=bars,
            memory=memory,
            ta={numbers: _ta_name(start, letters) for numbers, start in ta.items()},
        )
        for part, letters, unit, scale in _PARTS
    )


def _ta_name(start: str, letters: str) -> str:
    # The middle of ta's Keltner channel is its centre.
    return f"{start}c" if (start[-2:], letters) == ("kc", "m") else f"{start}{letters}"
