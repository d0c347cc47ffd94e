"""Force index: closes and volumes in, the mean of move times volume out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.indicator import Indicator, Output
from scanner.indicators.lags import change
from scanner.indicators.memory import decaying, span_decay
from scanner.indicators.recursive import ema_of_flow


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceIndex:
    """Parameters of the force index."""

    #: Span of the mean, in bars.
    window: int = 13


def force_index(block: BarBlock, params: ForceIndex) -> tuple[FloatArray, ...]:
    """Return the exponential mean of (close - close before) * volume, in price x shares.

    Formula: Elder (1993), as `ta` ForceIndexIndicator. Warm-up: `window` + 1 bars. Flat prices: 0.
    """
    force = change(block.close, 1)
    force *= block.volume
    return (ema_of_flow(force, params.window),)


FORCE_INDEX: Final = Indicator(
    name="force_index",
    params=ForceIndex,
    kernel=force_index,
    formula="Elder's force index (1993), as ta ForceIndexIndicator",
    outputs=(
        Output(
            stem="force_index",
            arguments=("window",),
            unit="price x shares",
            scale="own",
            bars=lambda params: params.window + 1,
            memory=lambda params: decaying(span_decay(params.window), after=1),
            ta={(13,): "volume_fi"},
        ),
    ),
)
