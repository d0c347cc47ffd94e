"""Both stores of reports keep one contract; the one in Redis also expires."""

from __future__ import annotations

import datetime as dt

import pytest
import redis
from process_fixtures import free_port
from redis.backoff import NoBackoff
from redis.retry import Retry
from scan_builders import ASKED, absence, report, row

from scanner import keys
from scanner.errors import StoreUnavailable
from scanner.results.redis_store import RedisReportStore
from scanner.results.store import MemoryReportStore

EXPIRY = 3_600


def scan(name="scan-1", symbols=("AAA",), state="done", minutes=0, **changes):
    """Return a report asked for so many minutes after the first."""
    asked = ASKED + dt.timedelta(minutes=minutes)
    rows = [row(symbol) for symbol in symbols]
    return report(rows, [absence()], state, id=name, asked_at=asked, **changes)


@pytest.mark.parametrize("kind", ["memory", "redis"])
class TestReportStoreContract:
    """What every ReportStore does."""

    @pytest.fixture
    def store(self, kind, client):
        """Return an empty store of each kind."""
        return MemoryReportStore() if kind == "memory" else RedisReportStore(client, EXPIRY)

    def test_an_empty_store_knows_nothing(self, store):
        """And says so without an error."""
        assert store.load("scan-1") is None
        assert store.newest() == []
        assert store.newest(5) == []
        assert store.last_hits("test-1", "all", "all") is None

    @pytest.mark.parametrize("state", ["done", "degraded", "failed"])
    def test_a_report_is_loaded_as_it_was_saved(self, store, state):
        """Whatever its state."""
        store.save(scan(state=state))
        assert store.load("scan-1") == scan(state=state)
        assert store.load("scan-2") is None

    def test_a_report_that_is_saved_again_replaces_the_first(self, store):
        """A second closer writes the same scan."""
        store.save(scan(symbols=["AAA"]))
        store.save(scan(symbols=["BBB"]))
        assert store.load("scan-1") == scan(symbols=["BBB"])
        assert store.newest(5) == ["scan-1"]

    def test_the_newest_are_those_that_were_asked_for_last(self, store):
        """In whatever order they were saved."""
        for name, minutes in (("b", 2), ("c", 3), ("a", 1)):
            store.save(scan(name, minutes=minutes))
        assert store.newest() == ["c"]
        assert store.newest(2) == ["c", "b"]
        assert store.newest(9) == ["c", "b", "a"]

    def test_a_complete_scan_leaves_its_hits_for_the_next(self, store):
        """The latest that was saved counts, an empty one too."""
        store.save(scan("a", symbols=["AAA", "BBB"], minutes=1))
        assert store.last_hits("test-1", "all", "all") == ("AAA", "BBB")
        store.save(scan("b", symbols=[], minutes=2))
        assert store.last_hits("test-1", "all", "all") == ()

    def test_an_older_scan_that_ends_later_is_not_the_last(self, store):
        """As one that was resumed the day after."""
        store.save(scan("b", symbols=["BBB"], minutes=2))
        store.save(scan("a", symbols=["AAA"], minutes=1))
        assert store.last_hits("test-1", "all", "all") == ("BBB",)

    @pytest.mark.parametrize("state", ["degraded", "failed"])
    def test_a_scan_that_is_not_complete_leaves_the_last_hits_alone(self, store, state):
        """Else what it missed would enter again."""
        store.save(scan("a", symbols=["AAA"], minutes=1))
        store.save(scan("b", symbols=["BBB"], minutes=2, state=state))
        assert store.last_hits("test-1", "all", "all") == ("AAA",)
        assert store.newest() == ["b"]

    def test_the_last_hits_are_of_one_source_and_one_screen(self, store):
        """A simulated scan changes nothing for a real one."""
        store.save(scan())
        assert store.last_hits("test-2", "all", "all") is None
        assert store.last_hits("test-1", "all", "other") is None


def test_every_key_of_a_report_expires(client):
    """The list of scans too."""
    RedisReportStore(client, EXPIRY).save(scan())
    names = {key.decode() for key in client.keys("*")}
    assert names == {keys.report("scan-1"), keys.SCANS, keys.latest("test-1", "all", "all")}
    assert all(0 < client.ttl(name) <= EXPIRY for name in names)


def test_scans_that_are_older_than_the_expiry_leave_the_list(client):
    """Their reports are gone by then."""
    store = RedisReportStore(client, EXPIRY)
    store.save(scan("old"))
    store.save(scan("new", minutes=EXPIRY / 60 + 1))
    assert store.newest(9) == ["new"]


def test_a_redis_that_is_away_is_a_store_that_is_not_available():
    """For every operation."""
    store = RedisReportStore(redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 0)), EXPIRY)
    for action in (
        lambda: store.save(scan()),
        lambda: store.load("scan-1"),
        store.newest,
        lambda: store.last_hits("test-1", "all", "all"),
    ):
        with pytest.raises(StoreUnavailable):
            action()
