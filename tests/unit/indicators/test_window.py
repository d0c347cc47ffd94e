"""The shared windows and recursions, against the plain formula bar by bar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.indicators import lags, loops, missing, recursive, window

WINDOWS = (1, 2, 3, 4, 5, 7, 8, 20, 31)
ROLLING = {
    "sum": (loops.rolling_sum, np.sum),
    "mean": (loops.rolling_mean, np.mean),
    "max": (loops.rolling_max, np.max),
    "min": (loops.rolling_min, np.min),
}


def holed(rows=6, bars=70):
    """Return bars with leading NaN in each row but the first and one NaN amid the third."""
    x = np.random.default_rng(5).normal(50.0, 10.0, (bars, rows)).T
    for row in range(1, rows):
        x[row, : 3 * row] = np.nan
    x[2, 40] = np.nan
    return x


def plain(x, size, formula):
    """Return `formula` of each window of `size` bars, NaN where the window is not full."""
    out = np.full(x.shape, np.nan)
    for bar in range(size - 1, x.shape[1]):
        out[:, bar] = formula(x[:, bar - size + 1 : bar + 1], axis=1)
    return out


@pytest.mark.parametrize("size", WINDOWS)
@pytest.mark.parametrize("name", ROLLING)
def test_rolling_equals_each_window_on_its_own(name, size):
    """A rolling result is the formula of each window, and NaN leaves with its bar."""
    rolling, formula = ROLLING[name]
    x = holed()
    np.testing.assert_allclose(rolling(x, size), plain(x, size, formula), rtol=1e-13)


@pytest.mark.parametrize("freedom", [0, 1])
@pytest.mark.parametrize("size", WINDOWS[1:])
def test_variance_equals_each_window_on_its_own(size, freedom):
    """Mean and variance by pairs are those of each window in two passes."""
    x = holed()
    mean, variance = window.rolling_variance(x, size, freedom=freedom)
    np.testing.assert_allclose(mean, plain(x, size, np.mean), rtol=1e-13)
    expected = plain(x, size, lambda part, axis: np.var(part, axis=axis, ddof=freedom))
    np.testing.assert_allclose(variance, expected, rtol=1e-10)


def test_variance_forgets_a_large_bar():
    """A bar a million times larger leaves no trace once it is out of the window."""
    x = np.random.default_rng(6).normal(1.0, 0.01, (1, 60))
    x[0, 10] = 1e6
    _, variance = window.rolling_variance(x, 20)
    np.testing.assert_allclose(variance[0, 30:], plain(x, 20, np.var)[0, 30:], rtol=1e-11)


@pytest.mark.parametrize("size", WINDOWS)
def test_mean_deviation_equals_each_window_on_its_own(size):
    """The mean deviation is the mean distance from the window's mean."""
    x = holed()
    expected = plain(
        x, size, lambda part, axis: np.mean(np.abs(part - part.mean(1, keepdims=True)), axis=axis)
    )
    actual = loops.mean_deviation(x, loops.rolling_mean(x, size), size)
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-13)


@given(
    st.floats(1e-4, 1e7), st.integers(1, 260), st.sampled_from(["rolling_mean", "ema", "variance"])
)
def test_flat_prices_stay_exactly_flat(price, size, name):
    """The mean of equal bars is their value to the last bit, so a price is not above itself."""
    x = np.full((2, 300), price)
    if name == "variance":
        mean, variance = window.rolling_variance(x, size)
        assert (variance[:, size - 1 :] == 0.0).all()
    else:
        mean = getattr(recursive if name == "ema" else loops, name)(x, size)
    assert (mean[:, size - 1 :] == price).all()


@pytest.mark.parametrize("bars", [0, 1, 3])
@pytest.mark.parametrize(
    "made",
    [
        lambda x: lags.shift(x, 5),
        lambda x: lags.change(x, 5),
        lambda x: lags.growth(x, 5),
        lambda x: loops.rolling_sum(x, 5),
        lambda x: loops.rolling_mean(x, 5),
        lambda x: loops.rolling_max(x, 5),
        lambda x: loops.rolling_min(x, 5),
        lambda x: window.rolling_variance(x, 5)[1],
        lambda x: loops.mean_deviation(x, loops.rolling_mean(x, 5), 5),
        lambda x: loops.rolling_age_of_max(x, 5),
        lambda x: window.rolling_weighted_mean(x, 5),
        lambda x: recursive.ema(x, 5),
        lambda x: recursive.ema_of_flow(x, 5),
        lambda x: recursive.ema_over_gaps(x, 5),
        lambda x: recursive.wilder(x, 5),
    ],
)
def test_too_few_bars_give_nan(made, bars):
    """A block narrower than the window, even without bars, keeps its shape and is all NaN."""
    out = made(np.ones((bars, 4)).T)
    assert out.shape == (4, bars)
    assert np.isnan(out).all()


def test_shift_and_changes_look_back():
    """Lagged values are those of earlier bars, NaN where there is none."""
    x = np.array([[1.0, 2.0, 4.0, 8.0]])
    np.testing.assert_array_equal(lags.shift(x, 2), [[np.nan, np.nan, 1.0, 2.0]])
    np.testing.assert_array_equal(lags.change(x, 1), [[np.nan, 1.0, 2.0, 4.0]])
    np.testing.assert_array_equal(lags.growth(x, 1), [[np.nan, 1.0, 1.0, 1.0]])


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize(
    "made",
    [
        loops.rolling_sum,
        loops.rolling_mean,
        loops.rolling_max,
        loops.rolling_age_of_max,
        window.rolling_weighted_mean,
        missing.only_where,
        recursive.ema,
        recursive.ema_of_flow,
        recursive.ema_over_gaps,
        recursive.wilder,
    ],
)
def test_results_are_new_arrays_in_the_layout_of_the_block(made, size):
    """A result never shares memory with its input and keeps neighbours in memory neighbours."""
    x = np.ones((30, 4)).T
    out = made(x, x > 0.0) if made is missing.only_where else made(x, size)
    assert not np.shares_memory(out, x)
    assert out.flags.f_contiguous


@pytest.mark.parametrize("size", WINDOWS)
def test_age_of_the_largest_counts_from_the_oldest_of_equals(size):
    """The age is the distance to the first of the window's largest bars, ties among them."""
    x = np.round(holed() / 5.0)
    expected = plain(x, size, lambda part, axis: size - 1 - np.argmax(part, axis=axis))
    expected[np.isnan(plain(x, size, np.sum))] = np.nan
    np.testing.assert_array_equal(loops.rolling_age_of_max(x, size), expected)


@pytest.mark.parametrize("size", WINDOWS)
def test_weighted_mean_equals_each_window_on_its_own(size):
    """The last bar weighs as much as the window has bars, the first 1."""
    x = holed()
    weights = np.arange(1, size + 1) * 2.0 / (size * (size + 1))
    expected = plain(x, size, lambda part, axis: (part * weights).sum(axis=axis))
    np.testing.assert_allclose(window.rolling_weighted_mean(x, size), expected, rtol=1e-13)


@pytest.mark.parametrize("size", WINDOWS)
def test_expanding_maximum_takes_what_there_is(size):
    """Before a window is full the largest of fewer bars stands."""
    x = holed()[[0, 1, 3]]
    expected = np.stack(
        [np.fmax.reduce(x[:, max(bar + 1 - size, 0) : bar + 1], axis=1) for bar in range(70)],
        axis=1,
    )
    np.testing.assert_array_equal(window.expanding_max(x, size), expected)


def test_only_where_keeps_bits_and_makes_the_rest_missing():
    """What is kept is the same bits; the rest is NaN."""
    x = np.array([[1.5, -2.0, 0.0, np.nan]])
    out = missing.only_where(x, np.array([[True, False, True, True]]))
    np.testing.assert_array_equal(out, [[1.5, np.nan, 0.0, np.nan]])
