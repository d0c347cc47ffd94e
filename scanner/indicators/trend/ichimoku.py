"""Ichimoku: highs and lows in, the middles of their ranges out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Made, Output
from scanner.indicators.lags import shift
from scanner.indicators.loops import rolling_max, rolling_min
from scanner.indicators.memory import window


@dataclass(frozen=True, slots=True, kw_only=True)
class Ichimoku:
    """Parameters of the Ichimoku lines."""

    #: Bars of the conversion line.
    short: int = 9
    #: Bars of the base line, and of the shift of the visual spans.
    middle: int = 26
    #: Bars of span B.
    long: int = 52


def ichimoku(block: BarBlock, params: Ichimoku) -> tuple[Made, ...]:
    """Return conversion and base line, span A and B, and both spans as drawn, all in price.

    A line is the middle of the range of its bars, span A the mean of the first two. As drawn, a
    span stands `middle` bars later than where it is computed. Formula: Hosoda (1969), as `ta`
    IchimokuIndicator without its look-ahead. Warm-up: the bars of the longest line, and `middle`
    more as drawn. Flat prices: the price.
    """
    conversion, base, span_b = (
        _middle(block, bars) for bars in (params.short, params.middle, params.long)
    )
    span_a = functools.cache(lambda: 0.5 * (conversion + base))
    drawn_a, drawn_b = (
        functools.partial(_drawn, span, params.middle) for span in (span_a, lambda: span_b)
    )
    return conversion, base, span_a, span_b, drawn_a, drawn_b


def _drawn(span: Callable[[], FloatArray], bars: int) -> FloatArray:
    return shift(span(), bars)


def _middle(block: BarBlock, bars: int) -> FloatArray:
    out = rolling_max(block.high, bars)
    out += rolling_min(block.low, bars)
    out *= 0.5
    return out


_SPAN_A: Final = (("short", "middle"), (9, 26))


def _output(
    part: str,
    arguments: tuple[str, ...],
    usual: tuple[int, ...],
    ta: str,
    drawn: tuple[str, ...] = (),
) -> Output[Ichimoku]:
    """Return an output; `drawn` names the lines of a span that stands where it is drawn."""

    def bars(params: Ichimoku) -> int:
        longest: int = max(getattr(params, name) for name in drawn or arguments)
        return longest + (params.middle if drawn else 0)

    return Output(
        stem=f"ichimoku_{part}",
        arguments=arguments,
        unit="price",
        scale="price",
        bars=bars,
        memory=lambda params: window(bars(params)),
        ta={usual: ta},
    )


ICHIMOKU: Final = Indicator(
    name="ichimoku",
    params=Ichimoku,
    kernel=ichimoku,
    formula="Hosoda's Ichimoku (1969), as ta IchimokuIndicator without its look-ahead",
    outputs=(
        _output("conversion", ("short",), (9,), "trend_ichimoku_conv"),
        _output("base", ("middle",), (26,), "trend_ichimoku_base"),
        _output("a", *_SPAN_A, "trend_ichimoku_a"),
        _output("b", ("long",), (52,), "trend_ichimoku_b"),
        _output("visual_a", *_SPAN_A, "trend_visual_ichimoku_a", drawn=_SPAN_A[0]),
        _output(
            "visual_b", ("middle", "long"), (26, 52), "trend_visual_ichimoku_b", drawn=("long",)
        ),
    ),
)
