"""Sessions of the whole market in a real server: series come back as they went in."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scan_builders import LAST, ScriptedMarket, series

from scanner import keys
from scanner.bars.adjust import Split
from scanner.bars.market_day import SHARDS, MarketDay, shard_of
from scanner.bars.store import MarketStore
from scanner.errors import BadBars, MarketIncomplete
from scanner.timeframe import day_date

SESSIONS = tuple(range(LAST - 9, LAST + 1))
SYMBOLS = [f"S{number}" for number in range(300)]
SERIES = {symbol: series(symbol, bars=10, seed=at) for at, symbol in enumerate(SYMBOLS)}


@pytest.fixture
def store(queue):
    """Return a store that holds ten sessions of 300 symbols, some without a bar here and there."""
    store = MarketStore(queue, "test-1")
    market = ScriptedMarket(SERIES)
    for session in SESSIONS:
        day = market.day(day_date(session))
        kept = [at for at, symbol in enumerate(day.symbols) if (at + session) % 7]
        cut = dataclasses.replace(
            day, symbols=tuple(day.symbols[at] for at in kept), values=day.values[:, kept]
        )
        store.write(cut, asked_at=float(session), expiry=1_000)
    store.keep_splits([], 0, asked_at=1.0, expiry=1_000)
    return store


def test_series_are_what_was_written_session_by_session(store):
    """To the bit; a session without a bar is no bar."""
    wanted = SYMBOLS[::3]
    found = store.history(SESSIONS, wanted, LAST)
    assert not found.errors
    assert list(found.series) == wanted
    for symbol in wanted:
        traded = [at for at, day in enumerate(SESSIONS) if (SYMBOLS.index(symbol) + day) % 7]
        assert found.series[symbol].sessions.tolist() == [SESSIONS[at] for at in traded]
        assert np.array_equal(found.series[symbol].values, SERIES[symbol].values[:, traded])


def test_the_symbols_of_a_session_are_those_that_have_a_bar(store):
    """Sorted, whatever shards they are in."""
    expected = [s for at, s in enumerate(SYMBOLS) if (at + LAST) % 7]
    assert store.symbols(LAST) == sorted(expected)
    assert len({shard_of(symbol) for symbol in SYMBOLS}) > SHARDS // 2


def test_a_symbol_that_never_traded_has_an_empty_series(store):
    """It is no error here: its absence says why."""
    assert len(store.history(SESSIONS, ["NONE"], LAST).series["NONE"]) == 0


def test_a_session_that_is_not_kept_is_never_left_out_silently(store, queue):
    """Indicators over a hole would be wrong: the whole block is told."""
    queue.delete(keys.day("test-1", day_date(LAST - 4).isoformat()))
    with pytest.raises(MarketIncomplete, match=str(day_date(LAST - 4))):
        store.history(SESSIONS, SYMBOLS[:3], LAST)


@pytest.mark.parametrize("damage", [b"", b"MSD", b"x" * 40])
def test_a_damaged_shard_is_dropped_and_told(store, queue, damage):
    """The next scan fetches its session again."""
    key = keys.day("test-1", day_date(LAST).isoformat())
    queue.hset(key, shard_of("S0"), damage)
    with pytest.raises(MarketIncomplete, match="unreadable"):
        store.history(SESSIONS, ["S0"], LAST)
    assert not queue.exists(key)


def test_a_damaged_shard_gives_no_symbols(store, queue):
    """A list without some of them would look like a whole one."""
    key = keys.day("test-1", day_date(LAST).isoformat())
    queue.hset(key, shard_of("S0"), b"x" * 40)
    with pytest.raises(MarketIncomplete, match="unreadable"):
        store.symbols(LAST)
    assert not queue.exists(key)


def test_a_flipped_bit_is_found(store, queue):
    """By the checksum."""
    key = keys.day("test-1", day_date(LAST).isoformat())
    data = bytearray(queue.hget(key, str(shard_of("S0"))))
    data[-1] ^= 1
    queue.hset(key, shard_of("S0"), bytes(data))
    with pytest.raises(MarketIncomplete, match="checksum"):
        store.history(SESSIONS, ["S0"], LAST)


def test_a_bar_that_cannot_be_true_costs_its_symbol_only(store):
    """The others of its shard and session have their series."""
    values = np.full((5, 2), 10.0)
    values[0, 0] = np.nan
    day = MarketDay(session=LAST, symbols=("S0", "S1"), values=values)
    store.write(day, asked_at=LAST + 1.0, expiry=100)
    found = store.history(SESSIONS, ["S0", "S1", "S2"], LAST)
    assert isinstance(found.errors["S0"], BadBars)
    assert set(found.series) == {"S1", "S2"}


def test_splits_touch_their_own_symbol_only(store):
    """When a series is put together; what is kept stays as it was traded."""
    before = store.history(SESSIONS, ["S1", "S2"], LAST)
    changed = store.keep_splits(
        [Split(symbol="S1", session=LAST - 3, before=x, after=2 * x) for x in (1.0, 2.0)],
        0,
        asked_at=5.0,
        expiry=100,
    )
    after = store.history(SESSIONS, ["S1", "S2"], LAST)
    assert changed == {"S1"}
    assert store.split_facts().asked_at == 5.0
    assert np.array_equal(after.series["S2"].values, before.series["S2"].values)
    ratio = after.series["S1"].values[3] / before.series["S1"].values[3]
    expected = np.where(after.series["S1"].sessions < LAST - 3, 0.5, 1.0)
    assert np.allclose(ratio, expected)
    assert np.array_equal(
        store.history(SESSIONS, ["S1"], LAST - 4).series["S1"].values,
        before.series["S1"].values,
    )


def test_a_later_listing_adds_and_one_from_the_first_day_replaces(store):
    """So that an answer that is empty once costs no split, and a correction comes in the end."""
    old = [Split(symbol="S1", session=day, before=1.0, after=2.0) for day in (10, 20)]
    store.keep_splits(old, 0, asked_at=1.0, expiry=100)
    new = [Split(symbol="S2", session=21, before=1.0, after=3.0)]
    assert store.keep_splits(new, 15, asked_at=2.0, expiry=100) == {"S2"}
    assert store.keep_splits([], 15, asked_at=3.0, expiry=100) == set()
    assert store.splits(None) == {"S1": old, "S2": new}
    facts = store.split_facts()
    assert (facts.asked_at, facts.full_at, facts.first) == (3.0, 1.0, 0)
    assert store.keep_splits(old[:1], 0, asked_at=4.0, expiry=100) == {"S1", "S2"}
    assert store.splits(None) == {"S1": old[:1]}


def test_without_a_list_of_splits_no_series_is_put_together(store, queue):
    """It would not be adjusted, and nobody would know."""
    queue.delete(keys.splits("test-1"))
    with pytest.raises(MarketIncomplete, match="splits"):
        store.history(SESSIONS, SYMBOLS[:3], LAST)


def test_two_ratios_of_one_day_cost_their_symbol_its_row(store):
    """Applied both they would be wrong by far; the others have their series."""
    splits = [Split(symbol="S1", session=LAST - 3, before=1.0, after=x) for x in (20.0, 25.0)]
    store.keep_splits(splits, 0, asked_at=1.0, expiry=100)
    found = store.history(SESSIONS, ["S1", "S2"], LAST)
    assert "1 to 25, 1 to 20" in str(found.errors["S1"])
    assert set(found.series) == {"S2"}


def test_an_older_copy_does_not_replace_a_younger_one(store):
    """A snapshot of the open session may come after the bars of its close."""
    before = store.history(SESSIONS, ["S1"], LAST).series["S1"].values
    day = MarketDay(session=LAST, symbols=("S1",), values=np.full((5, 1), 10.0))
    store.write(day, asked_at=LAST - 1.0, expiry=100)
    assert np.array_equal(store.history(SESSIONS, ["S1"], LAST).series["S1"].values, before)
    assert store.facts([LAST])[LAST].asked_at == float(LAST)


def test_a_split_that_was_moved_or_corrected_is_not_applied_twice(store):
    """A later listing says what is true of the symbols that it names, from its first day on."""
    old = [Split(symbol="S1", session=day, before=1.0, after=4.0) for day in (3, 20)]
    other = Split(symbol="S2", session=20, before=1.0, after=2.0)
    store.keep_splits([*old, other], 0, asked_at=1.0, expiry=100)
    moved = Split(symbol="S1", session=21, before=1.0, after=4.0)
    assert store.keep_splits([moved], 15, asked_at=2.0, expiry=100) == {"S1"}
    assert store.splits(None) == {"S1": [old[0], moved], "S2": [other]}
    corrected = Split(symbol="S1", session=21, before=1.0, after=5.0)
    store.keep_splits([corrected], 15, asked_at=3.0, expiry=100)
    assert store.splits(None)["S1"] == [old[0], corrected]


def test_what_is_known_of_sessions(store, queue):
    """When they were asked for, how many symbols they hold; each ends by itself."""
    facts = store.facts([LAST - 20, LAST])
    assert list(facts) == [LAST]
    assert facts[LAST].asked_at == float(LAST)
    assert facts[LAST].symbols == len(store.symbols(LAST))
    assert 0 < queue.ttl(keys.day("test-1", day_date(LAST).isoformat())) <= 1_000
