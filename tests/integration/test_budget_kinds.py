"""Which call goes first when the budget is short, on a real Valkey whose time tests move."""

from __future__ import annotations

import itertools
import threading

import pytest
from budget_builders import BUDGET, PROVIDER, let_time_pass, until

from scanner.bars.budget import FREE, KINDS, PAID, Rate
from scanner.bars.redis_budget import HORIZON, Outcome, RedisBudget
from scanner.errors import RateLimited

LONG = 3600.0


@pytest.fixture
def budget(client):
    """Return a budget of 5 calls a minute: one each 15 seconds."""
    return RedisBudget(client, PROVIDER, FREE)


def waits(budget, *kinds):
    """Return the seconds that calls of `kinds` are told to wait, one after the other."""
    return [round(budget.reserve(LONG, kind).wait) for kind in kinds]


def test_a_call_that_is_not_due_gets_a_place_but_no_token(budget):
    """So that what goes first can still come in between."""
    assert budget.reserve(LONG).outcome is Outcome.GRANTED
    found = [budget.reserve(LONG) for _ in range(3)]
    assert {one.outcome for one in found} == {Outcome.QUEUED}
    assert [round(one.wait) for one in found] == [15, 30, 45]


def test_each_kind_queues_before_the_lower_ones(budget):
    """A lower kind is told a place behind all that go before it."""
    assert waits(budget, "bars", "bars", "bars") == [0, 15, 30]
    assert waits(budget, "market", "market") == [15, 30]
    assert waits(budget, "live") == [15]
    assert waits(budget, "market", "bars") == [45, 60]


def test_places_are_taken_in_the_order_of_kinds(client, budget):
    """A live call that came last is the first, and who waited longest is not refused."""
    assert waits(budget, "bars", "bars", "market", "live") == [0, 15, 15, 15]
    order = []
    waiting = {"bars", "market", "live"}
    for _ in range(3):
        let_time_pass(client, 15.0)
        for kind in ("bars", "market", "live"):
            asked = kind in waiting and budget.reserve(LONG, kind, promised=True)
            if asked and asked.outcome is Outcome.GRANTED:
                order.append(kind)
                waiting.discard(kind)
    assert order == ["live", "market", "bars"]


def test_a_place_that_nobody_comes_for_passes(client, budget):
    """A process that died in the queue costs at most its own place."""
    assert waits(budget, "bars", "market", "bars") == [0, 15, 30]
    let_time_pass(client, 30.0)
    assert budget.reserve(LONG, promised=True).outcome is Outcome.GRANTED


def test_a_call_that_others_pushed_out_is_refused_when_its_time_is_over(client, budget):
    """It learns how long it would have to wait now."""
    assert waits(budget, "bars", "bars", "market") == [0, 15, 15]
    let_time_pass(client, 14.9)
    found = budget.reserve(0.2, promised=True)
    assert found.outcome is Outcome.REFUSED
    assert 10.0 < found.wait < 31.0


def test_a_live_call_waits_for_one_token_at_most(client):
    """However many others queue: no token is given further ahead than the horizon."""
    budget = RedisBudget(client, PROVIDER, PAID)
    for _ in range(300):
        budget.reserve(LONG, "bars")
    for _ in range(300):
        budget.reserve(LONG, "market")
    assert budget.reserve(LONG, "live").wait <= HORIZON + 2 * PAID.interval


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_is_served_at_once_when_nobody_else_asks(budget, kind):
    """Priorities cost nothing while there is room."""
    assert budget.reserve(0.0, kind).outcome is Outcome.GRANTED


def test_a_sample_is_refused_while_bars_queue(client, budget):
    """At once, whatever its timeout; and bars go on."""
    assert waits(budget, "bars", "bars") == [0, 15]
    with pytest.raises(RateLimited) as caught:
        budget.acquire(LONG, "sample")
    assert caught.value.wait > 10.0
    let_time_pass(client, 15.0)
    assert budget.reserve(LONG, "sample").outcome is Outcome.REFUSED
    assert budget.reserve(LONG, "bars", promised=True).outcome is Outcome.GRANTED


def test_a_sample_is_refused_for_a_window_after_a_higher_call_was(client, budget):
    """Whoever was sent away comes again soon."""
    budget.acquire(0.0)
    with pytest.raises(RateLimited):
        budget.acquire(1.0)
    let_time_pass(client, 50.0)
    assert budget.reserve(0.0, "sample").outcome is Outcome.REFUSED
    let_time_pass(client, 15.0)
    assert budget.reserve(0.0, "sample").outcome is Outcome.GRANTED


def test_a_sample_takes_nothing_of_a_burst_that_is_in_use(client):
    """It is granted only when the whole burst is there."""
    budget = RedisBudget(client, PROVIDER, Rate(limit=20, window=60.0, burst=10))
    assert budget.reserve(0.0, "bars").outcome is Outcome.GRANTED
    assert budget.reserve(0.0, "sample").outcome is Outcome.REFUSED
    let_time_pass(client, 7.0)
    assert budget.reserve(0.0, "sample").outcome is Outcome.GRANTED
    assert budget.reserve(0.0, "bars").outcome is Outcome.GRANTED


def test_whatever_the_mix_no_window_holds_more_than_the_limit(client):
    """By the schedule alone: many calls of all kinds, and time that passes between them."""
    rate = Rate(limit=20, window=60.0, burst=5)
    budget = RedisBudget(client, PROVIDER, rate)
    moved, granted = 0.0, []
    for number, kind in enumerate(itertools.islice(itertools.cycle(KINDS), 400)):
        found = budget.reserve(number % 7 * 10.0, kind, promised=number % 3 == 0)
        if found.outcome is Outcome.GRANTED:
            granted.append(found.at + moved)
        step = (0.0, 0.1, 2.0, 5.0)[number * 7 % 4]
        let_time_pass(client, step)
        moved += step
    assert len(granted) > 100
    assert granted == sorted(granted)
    later = granted[rate.limit :]
    assert all(b - a > rate.window for a, b in zip(granted, later, strict=False))


def test_a_market_call_overtakes_bars_that_wait(client):
    """With threads that really sleep: it came last and is not the last to go."""
    budget = RedisBudget(client, PROVIDER, Rate(limit=2, window=1.0, burst=1))
    order = []

    def take(kind):
        budget.acquire(LONG, kind)
        order.append(kind)

    threads = [threading.Thread(target=take, args=("bars",)) for _ in range(5)]
    for thread in threads:
        thread.start()
    until(lambda: int(client.hget(BUDGET, "bars") or 0))
    threads.append(threading.Thread(target=take, args=("market",)))
    threads[-1].start()
    for thread in threads:
        thread.join(60)
    assert sorted(order) == ["bars"] * 5 + ["market"]
    assert order[-1] == "bars"


def test_the_key_of_a_long_queue_lives_as_long_as_the_queue(client, budget):
    """And not much longer than samples are left out after it."""
    for _ in range(5):
        budget.reserve(LONG)
    assert 60_000 < client.pttl(BUDGET) <= 122_000
