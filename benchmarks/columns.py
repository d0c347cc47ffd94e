"""The columns that the benchmarks compute, as the registry knows them."""

from __future__ import annotations

from typing import Final

from scanner.indicators.registry import INDICATORS

#: Our column -> the column of `ta.add_all_ta_features` that holds the same numbers.
TA_COLUMNS: Final[dict[str, str]] = {
    "_".join([output.stem, *(f"{number:g}" for number in numbers)]): name
    for indicator in INDICATORS.values()
    for output in indicator.outputs
    for numbers, name in output.ta.items()
}
