"""Kernels against `ta` and pandas over the whole series of every symbol, warm-up included."""

from __future__ import annotations

import numpy as np
import pytest
from indicator_samples import (
    BARS_FILE,
    ODD_COLUMNS,
    USUAL_COLUMNS,
    real_series,
    rows_of,
    synthetic_series,
)

from scanner.bars.block import stack
from scanner.indicators.compute import compute
from scanner.indicators.deviations import DEVIATIONS, KINDS
from scanner.indicators.patterns.catalogue import PATTERNS
from scanner.indicators.reference import oracle
from scanner.indicators.reference.exact import exact_of
from scanner.indicators.reference.explain import TOLERANCE, differs, scale_of, unexplained
from scanner.indicators.registry import INDICATORS, column

NAMES = (*USUAL_COLUMNS, *ODD_COLUMNS)
COLUMNS = tuple(column(name) for name in NAMES)

#: Indicators that `ta` computes in Python loops, bar by bar or window by window, and patterns,
#: of which there are many.
SLOW = {"adx", "cci", "mfi", "atr", "psar", "aroon", "ulcer", "nvi", "wma", "keltner_atr", "kama"}
SLOW |= set(PATTERNS)

#: Every so many real symbols the slow ones are computed too, and for all short series.
SLOW_EVERY = 47
SHORT = 40


class Comparison:
    """Both sides of every column for each symbol of a set of series."""

    def __init__(self, series):
        self.series = series
        block = stack(series)
        self.ours = {name: rows_of(block, array) for name, array in compute(block, NAMES).items()}
        self.theirs = [oracle(one.values, self._asked(at)) for at, one in enumerate(series)]

    def _asked(self, at):
        all_of_them = at % SLOW_EVERY == 0 or len(self.series[at]) < SHORT or self.made
        return [one for one in COLUMNS if all_of_them or one.indicator.name not in SLOW]

    @property
    def made(self):
        """Whether the series are made, and few."""
        return len(self.series) < 100

    def pairs(self, name):
        """Yield series, our numbers and theirs, for each symbol that has both."""
        for one, ours, theirs in zip(self.series, self.ours[name], self.theirs, strict=True):
            if name in theirs:
                yield one, ours, theirs[name]


@pytest.fixture(scope="module", params=["made", "real"])
def comparison(request):
    """Both sides, on made bars and on real ones."""
    if request.param == "made":
        return Comparison(synthetic_series())
    if not BARS_FILE.exists():
        pytest.skip("no file of real bars; SCANNER_TEST_BARS names one")
    return Comparison(real_series())


def test_columns_deviate_in_just_the_listed_ways(comparison):
    """A difference that no listed deviation explains fails, and so does a deviation unseen."""
    seen = set()
    for one in COLUMNS:
        for series, ours, theirs in comparison.pairs(one.name):
            left, met = unexplained(one, series.values, ours, theirs)
            seen |= {(one.stem, kind) for kind in met}
            assert not left.any(), (one.name, series.symbol, ours[left], theirs[left])
    if comparison.made:
        listed = {(stem, kind) for stem, kinds in DEVIATIONS.items() for kind in kinds}
        assert seen == listed


def test_every_deviation_is_of_a_column_and_described():
    """Names and kinds of the list exist."""
    stems = {output.stem for one in INDICATORS.values() for output in one.outputs}
    assert set(DEVIATIONS) <= stems
    assert {kind for kinds in DEVIATIONS.values() for kind in kinds} == set(KINDS)


@pytest.mark.parametrize(
    "name", [n for n in USUAL_COLUMNS if "rolling std" in str(DEVIATIONS.get(column(n).stem))]
)
def test_bands_are_nearer_to_the_exact_value(comparison, name):
    """Against each window in extended precision we are within tolerance and ta is further off."""
    asked = column(name)
    worst_ours = worst_theirs = 0.0
    for one, ours, theirs in comparison.pairs(name):
        close = one.values[3]
        exact = exact_of(asked, close)
        assert not differs(asked, close, ours, exact).any(), one.symbol
        scale = np.fmax(np.abs(exact), scale_of(asked, close, exact))
        worst_ours = max(worst_ours, np.nanmax(np.abs(ours - exact) / scale, initial=0.0))
        worst_theirs = max(worst_theirs, np.nanmax(np.abs(theirs - exact) / scale, initial=0.0))
    assert worst_ours <= TOLERANCE < worst_theirs
