"""What channels have in common: a middle and a half width in, bands, width, place and flags out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import numpy as np

from scanner.bars.block import FloatArray
from scanner.indicators.indicator import Made, Number, Output, Scale, Unit
from scanner.indicators.memory import Memory
from scanner.indicators.missing import only_where

P = TypeVar("P")

#: What rounding may move a band by, relative to the price. Prices are cents, and a close on a
#: band is not outside of it.
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


def bands(close: FloatArray, middle: FloatArray, half: FloatArray) -> tuple[Made, ...]:
    """Return upper, middle, lower, width, percent, above and below of a channel around `middle`.

    `half` is the distance from the middle to each band, in price. The width is in percent of the
    middle; `percent` is the close's place, 0 at the lower band and 1 at the upper one, NaN in a
    channel of width 0; the flags are 1.0 where the close is outside the channel, else 0.0.
    """
    upper, lower = middle + half, middle - half
    width = functools.partial(_width, middle, half)
    percent = functools.partial(_place, close, middle, half)
    above = functools.partial(_beyond, close, upper, 1.0)
    below = functools.partial(_beyond, close, lower, -1.0)
    return upper, middle, lower, width, percent, above, below


def _width(middle: FloatArray, half: FloatArray) -> FloatArray:
    out = half / middle
    out *= 200.0
    return out


def _place(close: FloatArray, middle: FloatArray, half: FloatArray) -> FloatArray:
    # From the middle, not from the lower band: the rounding of the bands would add to the
    # rounding of the mean, and both weigh more the closer the bands are.
    out = close - middle
    out /= half
    out *= 0.5
    out += 0.5
    np.copyto(out, np.nan, where=half <= close * _ROUNDING)
    return out


def _beyond(close: FloatArray, band: FloatArray, side: float) -> FloatArray:
    """Return 1.0 where `close` is above (`side` 1) or below (-1) `band` by more than rounding."""
    apart = close - band
    apart *= side
    return only_where((apart > close * _ROUNDING).astype(np.float64), ~np.isnan(band))


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
