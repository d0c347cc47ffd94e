"""Work for which Redis was away."""

from __future__ import annotations

import pytest

from scanner.errors import ProviderUnavailable, StoreUnavailable
from worker import patience
from worker.patience import patiently


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(patience, "_PAUSE", 0.0)


def failing(*errors):
    """Return work that raises these in turn and then returns how often it was done."""
    left = list(errors)
    done = []

    def work():
        done.append(1)
        if left:
            raise left.pop(0)
        return len(done)

    return work


def test_work_is_done_again_while_redis_is_away():
    """Its result is that of the last time."""
    assert patiently(failing(StoreUnavailable("away"), StoreUnavailable("starting"))) == 3


def test_what_does_not_pass_is_raised_at_once():
    """Waiting for it would be in vain."""
    work = failing(StoreUnavailable("no such type", passes=False), StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable, match="no such type"):
        patiently(work)
    with pytest.raises(ProviderUnavailable):
        patiently(failing(ProviderUnavailable("down")))


def test_patience_has_an_end():
    """A task must be over before its message is delivered again."""
    with pytest.raises(StoreUnavailable, match="away"):
        patiently(failing(*[StoreUnavailable("away")] * 10**6), 0.05)


def test_there_is_a_pause_between_two_tries(monkeypatch):
    """Hundreds of threads that tried without one would keep a server from coming back."""
    pauses = []
    monkeypatch.setattr(patience, "_PAUSE", 0.5)
    monkeypatch.setattr(patience.time, "sleep", pauses.append)
    assert patiently(failing(StoreUnavailable("away"), StoreUnavailable("starting"))) == 3
    assert pauses == [0.5, 0.5]
