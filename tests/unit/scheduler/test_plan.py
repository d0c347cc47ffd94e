"""The plan of a scan: which symbols go out together, and what their bars cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.bars.budget import Rate
from scheduler.plan import MAX_BLOCK, make_plan

RATE = Rate(limit=100, window=1.0, burst=10)


def names(count):
    """Return so many symbols."""
    return [f"S{n}" for n in range(count)]


def plan(symbols, to_fetch=(), batch_size="auto", threads=20, rate=None):
    """Return a plan with what a test does not care for filled in."""
    return make_plan(symbols, to_fetch, batch_size=batch_size, threads=threads, rate=rate)


def sizes(made):
    """Return the size of each batch."""
    return [len(batch) for batch in made.batches]


def test_symbols_to_fetch_go_alone_and_the_cached_ones_in_blocks():
    """Singles first, each kind in the universe's order."""
    made = plan(names(6), ["S4", "S1"], threads=1)
    assert made.batches == (("S1",), ("S4",), ("S0", "S2", "S3", "S5"))
    assert made.calls == 2


@pytest.mark.parametrize(
    ("cached", "threads", "expected"),
    [(400, 20, [20] * 20), (401, 20, [21] * 19 + [2]), (5, 20, [1] * 5), (0, 20, [])],
)
def test_each_thread_gets_a_block(cached, threads, expected):
    """A task costs as much as 40 symbols, so that fewer are faster."""
    assert sizes(plan(names(cached), threads=threads)) == expected


def test_no_block_is_larger_than_320_symbols():
    """However few threads there are; each thread gets as many blocks as the others."""
    assert MAX_BLOCK == 320
    assert sizes(plan(names(1000), threads=1)) == [250, 250, 250, 250]
    assert sizes(plan(names(5_277), threads=20)) == [264] * 19 + [261]


@pytest.mark.parametrize(
    ("size", "expected"), [(1, [1] * 5), (2, [2, 2, 1]), ("3", [3, 2]), (9, [5])]
)
def test_a_fixed_size_counts_for_all_symbols(size, expected):
    """Whether they are cached or not; a request is still a request."""
    made = plan(names(5), ["S0", "S4"], batch_size=size)
    assert sizes(made) == expected
    assert made.calls == 2


@given(
    count=st.integers(0, 600),
    wanted=st.sets(st.integers(0, 700)),
    size=st.sampled_from(["auto", 1, 7, 500]),
    threads=st.integers(1, 64),
)
def test_every_symbol_is_in_exactly_one_batch(count, wanted, size, threads):
    """None is lost, none is scanned twice, none is added; no batch is empty."""
    made = plan(names(count), {f"S{n}" for n in wanted}, size, threads)
    assert sorted(s for batch in made.batches for s in batch) == sorted(names(count))
    assert all(made.batches)
    assert made.calls == len([n for n in wanted if n < count])


@pytest.mark.parametrize(
    ("calls", "rate", "seconds"),
    [
        (0, RATE, 0.0),
        (10, None, 0.25),
        (5_277, None, 5_277 * 0.5 / 20),
        (910, RATE, 22.75),
        (910, Rate(limit=5, window=60.0, burst=1), 909 * 15.0),
    ],
)
def test_a_plan_says_how_long_its_requests_take(calls, rate, seconds):
    """At the threads' own pace, or at the rate's where that is slower."""
    assert plan(names(calls), names(calls), rate=rate).seconds == pytest.approx(seconds)


def test_a_scan_of_cached_bars_costs_nothing():
    """Whatever the rate."""
    made = plan(names(500), rate=Rate(limit=5, window=60.0, burst=1))
    assert (made.calls, made.seconds) == (0, 0.0)


def test_a_plan_of_nothing_has_no_batches():
    """And costs nothing."""
    made = plan([], ["S1"])
    assert (made.batches, made.calls, made.seconds) == ((), 0, 0.0)
