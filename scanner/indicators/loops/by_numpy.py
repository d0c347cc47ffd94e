"""The loops by numpy: for machines without a C compiler, and for what holds the others to them."""

from __future__ import annotations

from scanner.indicators.loops.recursions import (
    adaptive_mean,
    flow_mean,
    level_mean,
    mean_over_gaps,
    parabolic_stop,
    running_total,
    wilder_mean,
)
from scanner.indicators.loops.windows import (
    mean_deviation,
    rolling_age_of_max,
    rolling_max,
    rolling_mean,
    rolling_min,
    rolling_sum,
)

__all__ = [
    "adaptive_mean",
    "flow_mean",
    "level_mean",
    "mean_deviation",
    "mean_over_gaps",
    "parabolic_stop",
    "rolling_age_of_max",
    "rolling_max",
    "rolling_mean",
    "rolling_min",
    "rolling_sum",
    "running_total",
    "wilder_mean",
]
