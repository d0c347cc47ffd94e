"""Rounds of the fetch of sessions: what each asks for, who does it, and what it waits for."""

from __future__ import annotations

import threading
import time

import pytest
from market_days import asked, market_of, runtime_of, work
from runtime_builders import messages

from scanner import keys
from scanner.errors import ProviderUnavailable
from scheduler.dispatch import start_scan
from scheduler.fetch import most_came
from scheduler.request import request_scan, spec_of
from worker import market as module
from worker import tasks


def planned(queue, **options):
    """Return a runtime and a scan that waits for its sessions."""
    runtime = runtime_of(queue, market_of(), **options)
    scan_id = request_scan(runtime, spec_of(runtime))
    start_scan(runtime, scan_id)
    return runtime, scan_id


def test_nothing_is_asked_for_a_scan_that_was_cancelled_meanwhile(queue, monkeypatch):
    """While its plan was made."""
    runtime = runtime_of(queue, market_of())
    scan_id = request_scan(runtime, spec_of(runtime))
    prepare = runtime.state.prepare

    def late(*arguments):
        runtime.state.cancel(scan_id, "enough")
        return prepare(*arguments)

    monkeypatch.setattr(runtime.state, "prepare", late)
    start_scan(runtime, scan_id)
    assert messages(queue, "scan") == []


def test_no_more_sessions_are_asked_for_than_the_rate_lets_through(queue):
    """One in fifteen seconds, one for the only thread, and the splits."""
    planned(queue, rate="1/minute", workers=1, threads=1)
    names = [name for name, _ in messages(queue, "scan")]
    assert sorted(names) == ["fetch_session", "fetch_session", "fetch_splits"]


def test_who_waits_for_the_provider_does_not_ask_again_at_once(queue):
    """However much has come: the reconciler asks, when there may be room."""
    runtime, scan_id = planned(queue)
    runtime.state.note(scan_id, {"sessions": 10, "sessions_done": 9})
    assert most_came(runtime, scan_id)
    runtime.state.note(scan_id, {"fetch_waits": 1})
    assert not most_came(runtime, scan_id)


def test_a_session_that_came_while_it_was_claimed_is_not_fetched_again(queue, monkeypatch):
    """Another task may have kept it between the look and the claim."""
    runtime, _ = planned(queue)
    monkeypatch.setattr("worker.runtime.current", lambda: runtime)
    (name, arguments), *_ = [one for one in messages(queue, "scan") if one[0] == "fetch_session"]
    claim = module.claims.claim

    def overtaken(*rest):
        monkeypatch.setattr(module.claims, "claim", claim)
        getattr(tasks, name).run(*arguments)
        return claim(*rest)

    monkeypatch.setattr(module.claims, "claim", overtaken)
    getattr(tasks, name).run(*arguments)
    assert len(asked(runtime.provider)) == 1


def test_a_claim_that_nobody_gives_up_is_not_waited_for_without_end(queue, monkeypatch):
    """Its owner may work for longer than a task has."""
    runtime, _ = planned(queue)
    monkeypatch.setattr(module, "_CLAIM_SECONDS", 1)
    queue.set(keys.claim(runtime.source, "splits"), "elsewhere/1/1")
    ended = []

    def wait():
        with pytest.raises(ProviderUnavailable, match="splits: expected another task"):
            module.keep_splits(runtime, module.day_date(1), module.day_date(2), time.time())
        ended.append("refused")

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(10.0)
    assert ended == ["refused"]


def test_some_refusals_stop_only_what_brings_nothing(queue, monkeypatch):
    """A plan that lacks the oldest sessions gives the others."""
    runtime, scan_id = planned(queue)
    for _ in range(9):
        runtime.state.count_refused(scan_id)
    assert not runtime.state.wants_sessions(scan_id)
    for day in ("2025-07-08", "2025-07-09"):
        runtime.state.count_fetched(scan_id, day)
    assert runtime.state.wants_sessions(scan_id)
    assert len(work(queue, monkeypatch, runtime)) > 2


def test_what_a_provider_says_at_length_is_kept_cut():
    """The scan's state is read as a whole, many times."""
    fields = module.lacking("splits", "x" * 9_000, refused=True)
    assert set(fields) == {"fetch_error", "unfetched:splits", "refused:splits"}
    assert {len(said) for said in fields.values()} == {300}
