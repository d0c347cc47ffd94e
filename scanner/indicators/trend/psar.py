"""Parabolic stop and reverse: highs, lows and closes in, the trailing stop out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import BarBlock, BoolArray, FloatArray
from scanner.indicators.indicator import Indicator, Number, Output, Scale, Unit
from scanner.indicators.memory import PATH
from scanner.indicators.window import only_where, without_warm_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Psar:
    """Parameters of the parabolic stop and reverse."""

    #: What the acceleration begins with, and grows by at each new extreme.
    step: float = 0.02
    #: Largest acceleration.
    largest: float = 0.2


def psar(block: BarBlock, params: Psar) -> tuple[FloatArray, ...]:
    """Return the stop, the stop below a rise, the stop above a fall, and a flag at each turn.

    Of the second and third, one is NaN at each bar by definition; the flags are 1.0 at the bar
    at which a rise or a fall begins, else 0.0. Formula: Wilder (1978), beginning with a rise from
    the first high, as `ta` PSARIndicator, which moves a stop to the second last extreme where it
    would lie beyond it, and at a turn to the extreme itself. Warm-up: 3 bars. Flat prices: the
    price, rising.
    """
    stop, rising = _Trail(block, params).follow()
    without_warm_up(stop, np.isnan(block.close), _BARS)
    missing = np.isnan(stop)
    rising &= ~missing
    falling = ~(rising | missing)
    up, down = (only_where(stop, side) for side in (rising, falling))
    return stop, up, down, _turns(rising, missing), _turns(falling, missing)


#: The first two closes stand for the stop that it starts from.
_BARS: Final = 3


def _turns(side: BoolArray, missing: BoolArray) -> FloatArray:
    begins = side.copy(order="K")
    begins[:, 1:] &= ~side[:, :-1]
    return only_where(begins.astype(np.float64), ~missing)


class _Trail:
    """The stops of a block, followed bar by bar for all its symbols.

    A fall is seen as a rise of negated prices, so that both are one recursion: `extreme` is
    negated, `ahead` the negated highs and `behind` the lows of a rise, the lows and the negated
    highs of a fall.
    """

    def __init__(self, block: BarBlock, params: Psar) -> None:
        self.params = params
        self.close = block.close
        bars, symbols = self.close.shape[1], self.close.shape[0]
        #: (bars, symbols, 2): negated high and low of each bar, at even and odd places.
        self.edges = np.stack([-block.high.T, block.low.T], axis=-1)
        self.first = bars - block.counts.astype(np.intp)
        #: Places in `edges` of behind now, one and two bars ago, and of ahead now.
        odd = 2 * np.arange(symbols) + 1
        width = 2 * symbols
        self.places = np.stack([odd, odd - width, odd - 2 * width, odd - 1])

    def follow(self) -> tuple[FloatArray, BoolArray]:
        """Return the stop of each bar and whether it rises there, each (symbols, bars)."""
        symbols, bars = self.close.shape
        stops = np.empty((bars, symbols))
        rising = np.empty((bars, symbols), dtype=bool)
        edges = self.edges.reshape(-1)
        starts = {*self.first.tolist(), *(self.first + 1).tolist()}
        stop, extreme, further, speed, gap = np.full((5, symbols), np.nan)
        up = np.ones(symbols, dtype=bool)
        step, largest = self.params.step, self.params.largest
        for bar in range(bars):
            behind, behind_1, behind_2, ahead = edges.take(self.places, mode="clip")
            np.add(extreme, stop, out=gap)
            gap *= speed
            np.subtract(stop, gap, out=gap)
            turned = behind < gap
            # Not turned: not beyond the lows of two bars, and faster at each new extreme.
            stop = np.minimum(gap, behind_1, out=stops[bar])
            np.copyto(stop, behind_2, where=behind_2 < gap)
            np.add(speed, step, out=gap)
            np.minimum(gap, largest, out=gap)
            np.copyto(speed, gap, where=ahead < extreme)
            np.minimum(extreme, ahead, out=further)
            # Turned: the other way round from the last extreme.
            np.copyto(stop, extreme, where=turned)
            np.copyto(further, behind, where=turned)
            np.copyto(speed, step, where=turned)
            extreme, further = further, extreme
            up = np.not_equal(up, turned, out=rising[bar])
            self.places ^= turned.astype(np.intp)
            if bar in starts:
                self._start(bar, (stop, extreme, speed), up)
            self.places += 2 * symbols
        stops *= 2.0 * rising - 1.0
        return stops.T, rising.T

    def _start(
        self, bar: int, state: tuple[FloatArray, FloatArray, FloatArray], up: BoolArray
    ) -> None:
        """Set symbols at their first and second bar to a rise from the first high."""
        stop, extreme, speed = state
        age = bar - self.first
        young = (age == 0) | (age == 1)
        np.copyto(stop, self.close[:, bar], where=young)
        np.copyto(speed, self.params.step, where=young)
        np.copyto(extreme, self.edges[bar, :, 0], where=age == 0)
        np.copyto(extreme, self.edges[bar - 1, :, 0], where=age == 1)
        self.places ^= young & ~up
        up |= young


def _output(part: str, unit: Unit, scale: Scale, ta: dict[tuple[Number, ...], str]) -> Output[Psar]:
    return Output(
        stem=f"psar{part}",
        arguments=("step", "largest"),
        unit=unit,
        scale=scale,
        bars=lambda _params: _BARS,
        memory=lambda _params: PATH,
        ta=ta,
    )


_USUAL: Final = (0.02, 0.2)

PSAR: Final = Indicator(
    name="psar",
    params=Psar,
    kernel=psar,
    formula="Wilder's parabolic stop and reverse (1978), as ta PSARIndicator",
    outputs=(
        _output("", "price", "price", {}),
        _output("_up", "price", "price", {_USUAL: "trend_psar_up"}),
        _output("_down", "price", "price", {_USUAL: "trend_psar_down"}),
        _output("_up_turn", "flag 0 or 1", "ratio", {_USUAL: "trend_psar_up_indicator"}),
        _output("_down_turn", "flag 0 or 1", "ratio", {_USUAL: "trend_psar_down_indicator"}),
    ),
)
