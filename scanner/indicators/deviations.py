"""Where the kernels differ from `ta` on purpose: column names in, the kind and the reason out.

Data, read by the tests and by the documentation: a column that is not listed equals `ta`, or the
formula in pandas, over the whole series, and a column that is listed does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["warm-up zeros", "rolling std rounding", "flat window"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How and why a column differs from `ta`."""

    kind: Kind
    reason: str


_ZEROS: Final = Deviation(
    kind="warm-up zeros",
    reason="ta writes 0.0 where it has no value yet; here a missing value is NaN.",
)

_STD: Final = Deviation(
    kind="rolling std rounding",
    reason="pandas updates its variance bar by bar, and what a large bar leaves behind stays "
    "after it has left the window; here each window stands for itself.",
)

#: Default columns that differ, each for one reason.
DEVIATIONS: Final[dict[str, Deviation]] = {
    "atr_14": _ZEROS,
    "adx_14": _ZEROS,
    "plus_di_14": _ZEROS,
    "minus_di_14": _ZEROS,
    "bbands_upper_20_2": _STD,
    "bbands_lower_20_2": _STD,
    "bbands_width_20_2": _STD,
    "bbands_percent_20_2": _STD,
    "cci_20": Deviation(
        kind="flat window",
        reason="The typical price of a flat window deviates by 0, and 0 / 0 is NaN; in ta the "
        "rounding of the window's mean decides between NaN and 0.0.",
    ),
}
