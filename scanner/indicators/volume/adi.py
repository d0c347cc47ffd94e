"""Accumulation and distribution: prices and volumes in, the total of located volume out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.memory import CUMULATIVE
from scanner.indicators.prices import close_location
from scanner.indicators.recursive import running_total


@dataclass(frozen=True, slots=True, kw_only=True)
class Adi:
    """The accumulation/distribution index has no parameters."""


def adi(block: BarBlock, _params: Adi) -> tuple[FloatArray, ...]:
    """Return the total so far of volume times where the close lies in its bar, in shares.

    Formula: Chaikin's accumulation/distribution line, as `ta` AccDistIndexIndicator; a bar
    without a range adds nothing. The level depends on where the history starts; only its changes
    mean something. Warm-up: 1 bar. Flat prices: 0.
    """
    flow = close_location(block)
    flow *= block.volume
    flow += 0.0  # no volume below the middle is 0, not -0
    return (running_total(flow),)


ADI: Final = Indicator(
    name="adi",
    params=Adi,
    kernel=adi,
    formula="Chaikin's accumulation/distribution line, as ta AccDistIndexIndicator",
    outputs=(
        Output(
            stem="adi",
            arguments=(),
            unit="shares",
            scale="own",
            bars=lambda _params: 1,
            memory=lambda _params: CUMULATIVE,
            ta={(): "volume_adi"},
        ),
    ),
)
