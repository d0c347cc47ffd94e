"""Kernels against `ta` and pandas over the whole series of every symbol, warm-up included."""

from __future__ import annotations

import numpy as np
import pytest
from indicator_samples import (
    BARS_FILE,
    TOLERANCE,
    differs,
    exact_bands,
    real_series,
    rows_of,
    scale_of,
    synthetic_series,
)

from scanner.bars.block import stack
from scanner.indicators.compute import compute
from scanner.indicators.deviations import DEVIATIONS
from scanner.indicators.reference import oracle
from scanner.indicators.registry import DEFAULT_COLUMNS, column

COLUMNS = tuple(column(name) for name in DEFAULT_COLUMNS)

#: Indicators that `ta` computes in Python loops, bar by bar or window by window.
SLOW = {"adx", "cci", "mfi", "atr"}

#: Every so many real symbols the slow ones are computed too, and for all short series.
SLOW_EVERY = 11
SHORT = 60


class Comparison:
    """Both sides of every column for each symbol of a set of series."""

    def __init__(self, series):
        self.series = series
        block = stack(series)
        self.ours = {
            name: rows_of(block, array) for name, array in compute(block, DEFAULT_COLUMNS).items()
        }
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

    def deviating(self):
        """Return the columns that differ anywhere."""
        return {
            one.name
            for one in COLUMNS
            if any(
                differs(one, series.values[3], ours, theirs).any()
                for series, ours, theirs in self.pairs(one.name)
            )
        }


@pytest.fixture(scope="module", params=["made", "real"])
def comparison(request):
    """Both sides, on made bars and on real ones."""
    if request.param == "made":
        return Comparison(synthetic_series())
    if not BARS_FILE.exists():
        pytest.skip("no file of real bars; SCANNER_TEST_BARS names one")
    return Comparison(real_series())


def listed(kind):
    """Return the columns whose deviation is of this kind."""
    return [name for name, one in DEVIATIONS.items() if one.kind == kind]


def test_exactly_the_listed_columns_deviate(comparison):
    """A column that is not listed equals the oracle everywhere, and a listed one does not."""
    deviating = comparison.deviating()
    assert deviating <= set(DEVIATIONS)
    # Real bars need not hold a flat window of every price.
    optional = set() if comparison.made else set(listed("flat window"))
    assert set(DEVIATIONS) - deviating <= optional


@pytest.mark.parametrize("name", listed("warm-up zeros"))
def test_warm_up_zeros_are_the_only_difference(comparison, name):
    """Where ta writes zeros before its first value we write NaN, and all else is equal."""
    asked = column(name)
    for one, ours, theirs in comparison.pairs(name):
        different = differs(asked, one.values[3], ours, theirs)
        assert not different[asked.bars - 1 :].any(), one.symbol
        assert np.isnan(ours[different]).all()
        assert (theirs[different] == 0.0).all()


@pytest.mark.parametrize("name", listed("flat window"))
def test_flat_windows_are_the_only_difference(comparison, name):
    """Only where a whole window is flat ta has 0.0 by rounding, and we have NaN."""
    asked = column(name)
    for one, ours, theirs in comparison.pairs(name):
        different = differs(asked, one.values[3], ours, theirs)
        assert np.isnan(ours[different]).all(), one.symbol
        assert (theirs[different] == 0.0).all()
        for bar in np.flatnonzero(different):
            assert np.ptp(one.values[1:4, bar - asked.params.window + 1 : bar + 1]) == 0.0


@pytest.mark.parametrize("name", listed("rolling std rounding"))
def test_bands_are_nearer_to_the_exact_value(comparison, name):
    """Against each window in extended precision we are within tolerance and ta is further off."""
    asked = column(name)
    stem = asked.indicator.outputs[asked.output].stem
    worst_ours = worst_theirs = 0.0
    for one, ours, theirs in comparison.pairs(name):
        close = one.values[3]
        exact = exact_bands(close, **asked.parameters)[stem]
        assert not differs(asked, close, ours, exact).any(), one.symbol
        scale = np.fmax(np.abs(exact), scale_of(asked, close, exact))
        worst_ours = max(worst_ours, np.nanmax(np.abs(ours - exact) / scale, initial=0.0))
        worst_theirs = max(worst_theirs, np.nanmax(np.abs(theirs - exact) / scale, initial=0.0))
    assert worst_ours <= TOLERANCE < worst_theirs
