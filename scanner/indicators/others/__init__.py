"""Others: returns, and where a price stands between its extremes."""

from __future__ import annotations

from typing import Any, Final

from scanner.indicators.indicator import Indicator
from scanner.indicators.others.distance import DISTANCE_HIGH, DISTANCE_LOW
from scanner.indicators.others.percent_returns import (
    CUMULATIVE_RETURN,
    DAILY_LOG_RETURN,
    DAILY_RETURN,
)
from scanner.indicators.others.returns import RETURN

INDICATORS: Final[dict[str, Indicator[Any]]] = {
    "distance_high": DISTANCE_HIGH,
    "distance_low": DISTANCE_LOW,
    "return": RETURN,
    "daily_return": DAILY_RETURN,
    "daily_log_return": DAILY_LOG_RETURN,
    "cumulative_return": CUMULATIVE_RETURN,
}
