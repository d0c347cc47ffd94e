"""What a provider lists: asked for once a week, and not believed when it is cut short."""

from __future__ import annotations

import orjson
import pytest
from runtime_builders import runtime_on
from scan_builders import ScriptedMarket, series

from scanner import keys
from scanner.errors import ProviderUnavailable
from scheduler import listing
from scheduler.universe import resolve

DAY = 86_400.0


@pytest.fixture
def clock(monkeypatch):
    """Return this machine's clock, which the test moves."""

    class Clock:
        now = 1.8e9

        def time(self):
            return self.now

    found = Clock()
    monkeypatch.setattr(listing, "time", found)
    return found


@pytest.fixture
def market():
    """Return a market of twenty symbols."""
    names = [f"S{number:02}" for number in range(20)]
    return ScriptedMarket({name: series(name) for name in names}, types={"S01": "ETF"})


def test_the_market_is_listed_once_a_week(queue, market, clock):
    """Whatever universes are asked for."""
    runtime = runtime_on(queue, market)
    assert len(resolve(runtime, "all").symbols) == 20
    market.answers["NEW"] = series("NEW")
    assert "NEW" not in resolve(runtime, "all").symbols
    assert len(resolve(runtime, "common").symbols) == 19
    assert resolve(runtime, "type:ETF,ADRC").symbols == ["S01"]
    assert resolve(runtime, "all").texts["type"]["S01"] == "ETF"
    assert market.calls == ["listing"]
    clock.now += 7 * DAY - 1
    resolve(runtime, "all")
    assert market.calls == ["listing"]
    clock.now += 2
    assert "NEW" in resolve(runtime, "all").symbols
    assert market.calls == ["listing"] * 2
    assert 0 < queue.ttl(keys.listing("test-1")) <= 14 * DAY


@pytest.mark.parametrize("left", [0, 1, 9])
def test_a_listing_that_was_cut_short_is_not_believed(queue, market, clock, left):
    """The last one is used and the report says so; the provider is asked again in an hour."""
    runtime, whole = runtime_on(queue, market), dict(market.answers)
    resolve(runtime, "all")
    clock.now += 8 * DAY
    market.answers = dict(list(whole.items())[:left])
    for _ in range(2):
        found = resolve(runtime, "all")
        assert len(found.symbols) == 20
        (note,) = found.notes
        assert note == (
            f"the provider lists {left} symbols, 20 on 2027-01-15: "
            "the listing of 2027-01-15 is used"
        )
    assert market.calls == ["listing"] * 2
    market.answers = whole
    clock.now += 3_601
    assert resolve(runtime, "all").notes == ()
    assert market.calls == ["listing"] * 3


def test_a_listing_that_does_not_come_is_the_last_one(queue, market, clock, monkeypatch):
    """The scan goes on and says so; without any it fails."""
    runtime = runtime_on(queue, market)
    resolve(runtime, "all")
    clock.now += 8 * DAY

    def down():
        raise ProviderUnavailable("listing: no answer in time")

    monkeypatch.setattr(market, "listing", down)
    found = resolve(runtime, "all")
    assert len(found.symbols) == 20
    assert found.notes == ("listing: no answer in time: the listing of 2027-01-15 is used",)
    queue.delete(keys.listing("test-1"))
    with pytest.raises(ProviderUnavailable):
        resolve(runtime, "all")


def test_a_market_that_lost_a_few_symbols_is_believed(queue, market, clock):
    """Symbols come and go."""
    runtime = runtime_on(queue, market)
    resolve(runtime, "all")
    clock.now += 8 * DAY
    del market.answers["S00"], market.answers["S02"]
    found = resolve(runtime, "all")
    assert (len(found.symbols), found.notes) == (18, ())


def test_what_an_older_version_kept_is_asked_for_anew(queue, market):
    """It had another form."""
    runtime = runtime_on(queue, market)
    old = orjson.dumps([["AAA", {}]])
    queue.set(keys.listing("test-1"), listing.zstd.compress(old))
    assert len(resolve(runtime, "all").symbols) == 20
