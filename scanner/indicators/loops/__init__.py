"""Loops over the bars of all symbols of a block, by C where it was compiled, else by numpy.

Both give the same bits; `recursions` and `windows` say what they compute.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

#: Whether a C compiler was found when the project was installed.
COMPILED: Final = find_spec("scanner.indicators.loops._loops") is not None

if COMPILED:
    from scanner.indicators.loops.by_c import (
        adaptive_mean,
        flow_mean,
        level_mean,
        mean_deviation,
        mean_over_gaps,
        parabolic_stop,
        rolling_age_of_max,
        rolling_max,
        rolling_mean,
        rolling_min,
        rolling_sum,
        running_total,
        wilder_mean,
    )
else:
    from scanner.indicators.loops.by_numpy import (
        adaptive_mean,
        flow_mean,
        level_mean,
        mean_deviation,
        mean_over_gaps,
        parabolic_stop,
        rolling_age_of_max,
        rolling_max,
        rolling_mean,
        rolling_min,
        rolling_sum,
        running_total,
        wilder_mean,
    )

__all__ = [
    "COMPILED",
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
