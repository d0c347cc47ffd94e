"""The score: percentiles with ties, shares that are missing, and contributions that add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from scanner.rules.cross_section import percentiles
from scanner.rules.score import COMPONENTS, score
from scanner.settings import Settings

NAN = float("nan")
VALUE = st.sampled_from([NAN, -1.0, 0.0, 0.5, 0.5, 2.0, 7.0])


def columns_of(**components):
    """Return the columns of all components; those that are not given are NaN."""
    rows = len(next(iter(components.values())))
    empty = dict.fromkeys(COMPONENTS, [NAN] * rows)
    return {COMPONENTS[n]: np.array(v, dtype=float) for n, v in (empty | components).items()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([30.0, 10.0, 20.0, 40.0], [0.75, 0.25, 0.5, 1.0]),
        ([1.0, 1.0, 2.0, 2.0], [0.375, 0.375, 0.875, 0.875]),
        ([5.0, 5.0, 5.0], [2 / 3, 2 / 3, 2 / 3]),
        ([7.0], [1.0]),
        ([1.0, NAN, 2.0], [0.5, NAN, 1.0]),
        ([NAN, NAN], [NAN, NAN]),
        ([], []),
    ],
)
def test_a_percentile_is_the_mean_rank_among_the_values_that_exist(values, expected):
    """The lowest of n is 1/n, the highest 1, ties share theirs."""
    np.testing.assert_allclose(percentiles(np.array(values, dtype=float)), expected)


@given(st_numpy.arrays(float, st.integers(0, 30), elements=VALUE))
def test_percentiles_equal_counting_by_hand(values):
    """(Values below + half of the ties and one) over all that exist."""
    known = values[np.isfinite(values)]
    for value, got in zip(values, percentiles(values), strict=True):
        ties, below = (known == value).sum(), (known < value).sum()
        expected = (below + (ties + 1) / 2) / known.size if ties else NAN
        assert got == pytest.approx(expected, nan_ok=True)


def test_shares_weigh_the_components():
    """Three to one, and the best row of both has 100."""
    got = score(columns_of(momentum=[1.0, 2.0], trend=[2.0, 1.0]), {"momentum": 3, "trend": 1})
    assert got.components == ("momentum", "trend")
    np.testing.assert_allclose(got.total, [0.75 * 50 + 0.25 * 100, 0.75 * 100 + 0.25 * 50])
    np.testing.assert_allclose(got.points, [[37.5, 25.0], [75.0, 12.5]])


def test_a_missing_component_drops_its_share_and_scales_up_the_others():
    """Nothing is put in its place."""
    columns = columns_of(momentum=[1.0, 2.0, 3.0, 4.0], trend=[1.0, 2.0, NAN, 3.0])
    got = score(columns, {"momentum": 0.4, "trend": 0.6})
    assert got.total[2] == pytest.approx(75.0)
    assert np.isnan(got.points[2, 1])
    assert got.points[2, 0] == pytest.approx(75.0)


def test_a_row_without_any_component_has_no_score():
    """Not 0, which would be a bad one."""
    got = score(columns_of(momentum=[NAN, 1.0]), {"momentum": 1.0, "trend": 1.0})
    assert np.isnan(got.total[0])
    assert np.isnan(got.points[0]).all()
    assert got.total[1] == 100.0


def test_a_component_without_a_share_is_left_out():
    """It has no column among the contributions."""
    got = score(columns_of(momentum=[1.0], trend=[1.0]), {"momentum": 1.0, "trend": 0.0})
    assert got.components == ("momentum",)
    assert got.points.shape == (1, 1)


@given(
    table=st_numpy.arrays(float, st.tuples(st.just(4), st.integers(0, 12)), elements=VALUE),
    shares=st.lists(st.floats(0.01, 10.0), min_size=4, max_size=4),
)
def test_contributions_sum_to_the_total_between_0_and_100(table, shares):
    """Whatever is missing and however the shares are scaled."""
    columns = columns_of(**dict(zip(COMPONENTS, table, strict=True)))
    got = score(columns, dict(zip(COMPONENTS, shares, strict=True)))
    scored = np.isfinite(table).any(axis=0)
    assert (np.isfinite(got.total) == scored).all()
    np.testing.assert_allclose(np.nansum(got.points, axis=1)[scored], got.total[scored])
    assert ((got.total[scored] > 0.0) & (got.total[scored] <= 100.0 + 1e-9)).all()


def test_settings_know_the_same_components():
    """The settings cannot import the rules."""
    assert list(Settings().score_weights) == list(COMPONENTS)
    assert sum(Settings().score_weights.values()) == pytest.approx(1.0)
