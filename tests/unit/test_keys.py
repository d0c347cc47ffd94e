"""Keys of Redis: one prefix, and no two things under one key."""

from __future__ import annotations

import itertools
import re

from scanner import keys

EXAMPLES = {
    "bars": keys.bars("sim-1", "1d", "BRK.B"),
    "day": keys.day("sim-1", "2025-07-09"),
    "splits": keys.splits("sim-1"),
    "claim": keys.claim("sim-1", "2025-07-09"),
    "compared": keys.compared("sim-1", "2025-07-09"),
    "live": keys.live("sim-1"),
    "under_way": keys.under_way("scan1@host"),
    "suspects": keys.suspects("sim-1"),
    "listing": keys.listing("sim-1"),
    "budget": keys.budget("polygon-1"),
    "cooldown": keys.cooldown("polygon-1"),
    "breaker": keys.breaker("polygon-1"),
    "lock": keys.lock("sim-1", "all"),
    "scan": keys.scan("id"),
    "records": keys.records("id"),
    "retry": keys.retry("id"),
    "universe_of": keys.universe_of("id"),
    "texts_of": keys.texts_of("id"),
    "report": keys.report("id"),
    "latest": keys.latest("sim-1", "all", "all"),
    "slot": keys.slot("sim-1", "all", "2025-07-09/3"),
    "scans": keys.SCANS,
    "open": keys.SCANS_OPEN,
    "tasks": keys.tasks("20250709-1"),
}


def test_every_key_begins_with_the_prefix():
    """So that a shared Redis can be cleaned."""
    assert [key for key in EXAMPLES.values() if not key.startswith("ms1:")] == []


def test_no_two_kinds_share_a_key():
    """Even where all names are the same."""
    assert len(set(EXAMPLES.values())) == len(EXAMPLES)


def test_each_builder_is_among_the_examples():
    """A new one belongs above."""
    made = {
        name
        for name, value in vars(keys).items()
        if not name.startswith("_")
        and callable(value)
        and getattr(value, "__module__", "") == "scanner.keys"
    }
    assert made - set(EXAMPLES) == {"short_hash", "is_word"}


def test_universes_are_told_apart_and_never_shown():
    """Their names are free text, such as paths."""
    names = ["all", "All", "all ", "/home/me/my list.txt", "a:b", "*"]
    for one, other in itertools.combinations(names, 2):
        assert keys.lock("sim-1", one) != keys.lock("sim-1", other)
    assert re.fullmatch(r"ms1:lock:sim-1:[0-9a-f]{10}", keys.lock("sim-1", names[3]))


def test_a_hash_is_the_same_in_every_process():
    """Unlike Python's own."""
    assert keys.short_hash("") == "e3b0c44298"
