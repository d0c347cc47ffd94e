"""Loading a batch: the cache first, the provider for the rest, each error at its symbol."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest
from scan_builders import LAST, REQUEST, ScriptedProvider, series

from scanner.bars import load
from scanner.bars.cache import BarRequest, MemoryBarCache
from scanner.bars.load import load_bars
from scanner.bars.store import History
from scanner.errors import (
    BadBars,
    KeyRefused,
    MarketIncomplete,
    NotEntitled,
    ProviderPaused,
    ProviderUnavailable,
    RateLimited,
    UnknownSymbol,
)


def test_bars_in_the_cache_cost_no_request():
    """A second batch of the same symbols asks nobody."""
    cache, provider = MemoryBarCache(), ScriptedProvider({"AAA": series("AAA")})
    first = load_bars(REQUEST, ["AAA"], cache, provider)
    second = load_bars(REQUEST, ["AAA"], cache, provider)
    assert provider.asked == ["AAA"]
    assert (first.counts["fetched"], first.counts["absent"], first.counts["hit"]) == (1, 1, 0)
    assert (second.counts["fetched"], second.counts["hit"]) == (0, 1)
    assert second.series["AAA"].values.tobytes() == first.series["AAA"].values.tobytes()


def test_an_answer_without_bars_is_kept_too():
    """A symbol that has none is not asked for again till its entry ends."""
    cache, provider = MemoryBarCache(), ScriptedProvider({"AAA": series("AAA", bars=0)})
    for _ in range(2):
        assert len(load_bars(REQUEST, ["AAA"], cache, provider).series["AAA"]) == 0
    assert provider.asked == ["AAA"]


def test_bars_that_do_not_reach_back_far_enough_are_fetched_again():
    """A longer lookback is a miss, and its answer replaces the shorter one."""
    cache, provider = MemoryBarCache(), ScriptedProvider({"AAA": series("AAA", bars=500)})
    longer = BarRequest(source="test-1", timeframe="1d", first=REQUEST.first - 50, last=LAST)
    load_bars(REQUEST, ["AAA"], cache, provider)
    again = load_bars(longer, ["AAA"], cache, provider)
    assert again.counts["short"] == 1
    assert len(again.series["AAA"]) == 450
    assert load_bars(REQUEST, ["AAA"], cache, provider).counts["hit"] == 1


@pytest.mark.parametrize(
    "error", [BadBars, UnknownSymbol, NotEntitled, ProviderUnavailable], ids=lambda e: e.__name__
)
def test_an_error_of_one_symbol_is_its_own_and_is_not_kept(error):
    """The next symbol is loaded; the next scan asks again."""
    cache = MemoryBarCache()
    provider = ScriptedProvider({"BAD": error("BAD: no"), "AAA": series("AAA")})
    loaded = load_bars(REQUEST, ["BAD", "AAA"], cache, provider)
    assert set(loaded.series) == {"AAA"}
    assert isinstance(loaded.errors["BAD"], error)
    load_bars(REQUEST, ["BAD"], cache, provider)
    assert provider.asked == ["BAD", "AAA", "BAD"]


@pytest.mark.parametrize("refusal", [RateLimited, ProviderPaused], ids=lambda e: e.__name__)
def test_after_the_budget_has_refused_once_nobody_else_is_asked(refusal):
    """What is in the cache is still served."""
    cache, full = MemoryBarCache(), ScriptedProvider({"OLD": series("OLD")})
    load_bars(REQUEST, ["OLD"], cache, full)
    limited = refusal("wait", wait=60.0)
    provider = ScriptedProvider({"AAA": series("AAA"), "BBB": limited, "CCC": series("CCC")})
    loaded = load_bars(REQUEST, ["AAA", "BBB", "CCC", "OLD"], cache, provider)
    assert provider.asked == ["AAA", "BBB"]
    assert loaded.errors == {"BBB": limited, "CCC": limited}
    assert set(loaded.series) == {"AAA", "OLD"}


def test_a_refused_key_stops_the_batch():
    """No other symbol would fare better."""
    provider = ScriptedProvider({"AAA": KeyRefused("no key"), "BBB": series("BBB")})
    with pytest.raises(KeyRefused):
        load_bars(REQUEST, ["AAA", "BBB"], MemoryBarCache(), provider)
    assert provider.asked == ["AAA"]


class SlowProvider(ScriptedProvider):
    """Answers when the test says so."""

    def __init__(self, answers):
        super().__init__(answers)
        self.asked_once, self.may_answer = threading.Event(), threading.Event()

    def fetch(self, symbol, first, last):
        """Say that a request has come, and wait for permission to answer it."""
        self.asked_once.set()
        assert self.may_answer.wait(10)
        return super().fetch(symbol, first, last)


def test_a_symbol_that_several_batches_want_at_once_is_fetched_once():
    """The others wait for its bars."""
    cache, provider = MemoryBarCache(), SlowProvider({"AAA": series("AAA")})
    found = []

    def load():
        found.append(load_bars(REQUEST, ["AAA"], cache, provider))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert provider.asked_once.wait(10)
    provider.may_answer.set()
    for thread in threads:
        thread.join()
    assert provider.asked == ["AAA"]
    assert [len(one.series["AAA"]) for one in found] == [30] * 4
    assert sum(one.counts["fetched"] for one in found) == 1


def test_a_failed_fetch_lets_the_next_caller_try():
    """At once, not when its claim has ended."""
    cache, provider = MemoryBarCache(), ScriptedProvider({"AAA": ProviderUnavailable("down")})
    assert "AAA" in load_bars(REQUEST, ["AAA"], cache, provider).errors
    provider.answers["AAA"] = series("AAA")
    assert "AAA" in load_bars(REQUEST, ["AAA"], cache, provider).series


def test_what_is_put_together_is_as_old_as_what_it_was_made_of():
    """Sessions that are kept meanwhile are younger: an entry of before does not answer for them."""
    cache, meanwhile = MemoryBarCache(), []

    class Sessions:
        """Is asked for a history; another session is kept as soon as it was read."""

        def history(self, _sessions, symbols, _until):
            meanwhile.append(time.time())
            return History(series={symbol: series(symbol) for symbol in symbols}, errors={})

    request = dataclasses.replace(REQUEST, grouped=True)
    load_bars(request, ["AAA"], cache, ScriptedProvider(), Sessions())
    later = dataclasses.replace(request, since=meanwhile[0])
    assert cache.read(request, ["AAA"]).series.keys() == {"AAA"}
    assert dict(cache.read(later, ["AAA"]).misses) == {"short": 1}


def test_without_the_bars_of_the_open_session_no_series_passes_for_a_live_one():
    """They were kept for a quarter of an hour, and are gone."""

    class Gone:
        """Keeps nothing any more."""

        def history(self, *_asked):
            raise MarketIncomplete("the open session is not kept")

    request = dataclasses.replace(REQUEST, live=LAST + 1)
    provider = ScriptedProvider({"AAA": series("AAA")})
    loaded = load_bars(request, ["AAA"], MemoryBarCache(), provider, Gone())
    assert loaded.series == {}
    assert isinstance(loaded.errors["AAA"], MarketIncomplete)


def test_a_batch_that_takes_too_long_gives_back_what_is_left(monkeypatch):
    """Its message would be delivered again. One symbol is fetched in any case."""
    monkeypatch.setattr(load, "TASK_SECONDS", -1.0)
    symbols = ["AAA", "BBB", "CCC"]
    provider = ScriptedProvider({symbol: series(symbol) for symbol in symbols})
    loaded = load_bars(REQUEST, symbols, MemoryBarCache(), provider)
    assert provider.asked == ["AAA"]
    assert set(loaded.series) == {"AAA"}
    assert {symbol: type(error) for symbol, error in loaded.errors.items()} == {
        "BBB": RateLimited,
        "CCC": RateLimited,
    }


def test_bars_that_another_task_never_fetches_are_not_waited_for_without_end(monkeypatch):
    """The next symbol has its turn."""
    monkeypatch.setattr(load, "_WAIT_SECONDS", 0.1)
    cache = MemoryBarCache()
    claim = cache.claim
    monkeypatch.setattr(cache, "claim", lambda asked, one: one != "BAD" and claim(asked, one))
    provider = ScriptedProvider({symbol: series(symbol) for symbol in ("BAD", "AAA")})
    found = []
    waiting = threading.Thread(
        target=lambda: found.append(load_bars(REQUEST, ["BAD", "AAA"], cache, provider)),
        daemon=True,
    )
    waiting.start()
    waiting.join(10.0)
    assert [(set(one.series), set(one.errors)) for one in found] == [({"AAA"}, {"BAD"})]
    assert "another task fetches" in str(found[0].errors["BAD"])
