"""The shared recursions, against the plain recursion bar by bar and against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_window import holed

from scanner.indicators import recursive


@pytest.mark.parametrize("size", [1, 2, 9, 26])
@pytest.mark.parametrize("name", ["ema", "ema_of_flow", "wilder"])
def test_recursive_means_equal_their_recursion(name, size):
    """All recursive means equal the recursion bar by bar from their seed."""
    x = holed()[[0, 1, 3, 4, 5]]
    weight = 2.0 / (size + 1) if name.startswith("ema") else 1.0 / size
    expected = np.full(x.shape, np.nan)
    for row, line in enumerate(x):
        first = int(np.isnan(line).sum())
        seeded = first if name.startswith("ema") else first + size - 1
        value = line[first : seeded + 1].mean()
        for bar in range(seeded, len(line)):
            value = value if bar == seeded else value + weight * (line[bar] - value)
            if bar - first >= size - 1:
                expected[row, bar] = value
    np.testing.assert_allclose(getattr(recursive, name)(x, size), expected, rtol=1e-13)


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_means_over_gaps_are_those_of_pandas(size):
    """With gaps of any length the mean has the very bits of pandas' ewm."""
    x = holed(6, 120)
    x[1, 50:90] = np.nan
    x[4, ::2] = np.nan
    x[5] = np.nan
    x[0, 60:] = x[0, 60]
    expected = pd.DataFrame(x.T).ewm(span=size, min_periods=size, adjust=False).mean().to_numpy().T
    np.testing.assert_array_equal(recursive.ema_over_gaps(x, size), expected)


@pytest.mark.parametrize("bars", [1, 7, 70])
def test_totals_and_products_equal_their_recursion(bars):
    """Sums and products over any number of bars are those of a plain loop."""
    x = np.random.default_rng(bars).normal(1.0, 0.1, (bars, 3)).T
    np.testing.assert_allclose(recursive.running_product(x), np.cumprod(x, axis=1), rtol=1e-13)
    np.testing.assert_allclose(recursive.running_total(x), np.cumsum(x, axis=1), rtol=1e-13)


def test_a_running_total_begins_with_the_first_value():
    """Missing bars before the first value stay missing, and later ones add up."""
    x = np.array([[np.nan, np.nan, 1.0, 2.0, 4.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    np.testing.assert_array_equal(
        recursive.running_total(x), [[np.nan, np.nan, 1.0, 3.0, 7.0], [1.0, 2.0, 3.0, 4.0, 5.0]]
    )


def test_a_mean_of_flow_keeps_its_digits_when_the_flow_stops():
    """Long after a series has come to rest at 0 its mean is still exact relative to itself."""
    x = np.zeros((1, 400))
    x[0, :20] = np.random.default_rng(3).normal(0.0, 1e6, 20)
    out = recursive.ema_of_flow(x, 5)
    np.testing.assert_allclose(out[0, 21:] / out[0, 20:-1], 1.0 - 2.0 / 6.0, rtol=1e-12)


def test_a_mean_of_prices_that_rest_becomes_their_price():
    """Long after the last move the mean is the price itself, not next to it."""
    x = np.full((2, 900), 123.45)
    x[:, :10] = np.random.default_rng(7).normal(100.0, 10.0, (2, 10))
    assert (recursive.ema(x, 20)[:, -1] == 123.45).all()


def test_gaps_of_one_row_do_not_change_another():
    """Rows without gaps keep the bits of the plain mean, the others have those of pandas."""
    x = holed(3, 60)[[0, 1, 1]].copy(order="F")
    x[2, 20:25] = np.nan
    out = recursive.ema_of_any(x, 4)
    np.testing.assert_array_equal(out[:2], recursive.ema(x, 4)[:2])
    expected = pd.Series(x[2]).ewm(span=4, min_periods=4, adjust=False).mean()
    np.testing.assert_array_equal(out[2], expected)
