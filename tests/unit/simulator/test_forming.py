"""Bars of a session that goes on: they grow into the final ones and never leave their range."""

from __future__ import annotations

import numpy as np
import pytest
from tape_builders import market, moment, shown

from simulator.forming import draw_ways, so_far
from simulator.tape import Tape

SHARES = np.linspace(0.0, 1.0, 391)


@pytest.fixture(scope="module")
def final():
    """The (5, symbols) bars of a session."""
    one = market(symbols=300)
    return Tape(one, seed=7).rows(one.last_day, moment(one), adjusted=True)[1].values


@pytest.fixture(scope="module")
def forming(final):
    """The (shares, 5, symbols) bars of that session, minute by minute."""
    ways = draw_ways(7, [str(place) for place in range(final.shape[1])], 20_278)
    return np.stack([so_far(final, ways, float(share)) for share in SHARES])


def test_a_forming_bar_grows_into_the_final_one(final, forming):
    """It opens as it will have opened, and each end of its range only moves outwards."""
    start, high, low, _, volume = forming.transpose(1, 0, 2)
    assert (start == final[0]).all()
    assert (np.diff(high, axis=0) >= 0).all()
    assert (np.diff(low, axis=0) <= 0).all()
    assert (np.diff(volume, axis=0) >= 0).all()
    np.testing.assert_array_equal(forming[-1], final)


def test_a_forming_bar_could_be_true(final, forming):
    """Within the final range, in cents, with whole volumes of at least one share."""
    start, high, low, close, volume = forming.transpose(1, 0, 2)
    assert (high <= final[1]).all()
    assert (low >= final[2]).all()
    assert (high >= np.maximum(start, close)).all()
    assert (low <= np.minimum(start, close)).all()
    np.testing.assert_array_equal(close, np.round(close, 2))
    np.testing.assert_array_equal(volume, np.floor(volume))
    assert (volume >= 1).all()
    assert (forming[0][:4] == final[0]).all()


def test_it_really_moves(final, forming):
    """Half of the session has seldom seen both ends of the range, and not all of the volume."""
    middle = forming[195]
    assert 0.3 < (middle[4] / final[4]).mean() < 0.7
    assert ((middle[1] < final[1]) | (middle[2] > final[2])).mean() > 0.5
    assert (middle[3] != final[3]).mean() > 0.8


def test_ways_depend_on_seed_symbol_and_session():
    """And on nothing else."""
    ways = draw_ways(7, ["A", "B"], 20_000)
    assert ways.shape == (3, 2)
    np.testing.assert_array_equal(ways[:, 1:], draw_ways(7, ["B"], 20_000))
    assert not np.array_equal(ways, draw_ways(8, ["A", "B"], 20_000))
    assert not np.array_equal(ways, draw_ways(7, ["A", "B"], 20_001))


@pytest.mark.parametrize("adjusted", [True, False])
def test_only_the_session_of_the_clock_is_partial(adjusted):
    """The sessions before are final, those after do not exist, whole days agree with ranges."""
    one = market(symbols=200)
    tape, at = Tape(one, seed=7), moment(one, "2025-07-09T11:30:00-04:00")
    symbols, view = tape.rows(at.session, at, adjusted=adjusted)
    closes = view.columns()["c"]
    days, values = shown(tape, symbols[5], at, adjusted=adjusted)
    assert days[-1] == at.session
    assert values[3, -1] == closes[5]
    _, whole = shown(tape, symbols[5], moment(one), adjusted=adjusted)
    np.testing.assert_array_equal(values[:, :-1], whole[:, :-1])
    assert not np.array_equal(values, whole)
    assert tape.rows(at.session + 1, at, adjusted=adjusted)[0] == []


def test_whole_days_follow_a_clock_that_moves_both_ways():
    """Also beyond the sessions that were built at first."""
    one = market(symbols=50)
    tape, far = Tape(one, seed=7), moment(one, "2026-06-01T20:00:00-04:00")
    assert tape.rows(far.session, moment(one), adjusted=True)[0] == []
    symbols, view = tape.rows(far.session, far, adjusted=True)
    assert len(symbols) > 40
    _, values = shown(tape, symbols[0], far, adjusted=True)
    assert values[3, -1] == view.columns()["c"][0]
    assert tape.rows(far.session, moment(one), adjusted=True)[0] == []
    empty = moment(one, "2025-07-10T00:00:00-04:00")
    assert tape.rows(empty.day, empty, adjusted=True)[0] == []
