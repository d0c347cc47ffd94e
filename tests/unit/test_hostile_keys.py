"""Texts of users and providers in keys of Redis: none leads to another key."""

from __future__ import annotations

import inspect
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_keys import EXAMPLES

from scanner import keys
from scanner.errors import ConfigError

BUILDERS = {name: getattr(keys, name) for name in EXAMPLES if callable(getattr(keys, name, None))}

#: Texts that look for other keys, for all keys, or for the end of a command.
TRICKS = ["AAA:records", "a:1d:BBB", "*", "[a-z]", "a?", "", " ", "a b", "a\r\nDEL x", "\0", "a\\"]
TRICKS += [
    "latest:x",
    "../a",
    "\x1b[2J",
    "\u202ea",
    "\uff21",
    "x" * 5_000,
    "{a}",
    "$1",
    '"',
    "\x85",
]

TEXTS = st.one_of(st.sampled_from([*TRICKS, "a", "id", "sim-1"]), st.text(max_size=8))


@given(st.data())
def test_every_part_of_a_key_is_one_word_or_a_hash(data):
    """Whatever stands for source, symbol, scan, process, screen or universe."""
    name = data.draw(st.sampled_from(sorted(BUILDERS)))
    given_ = {one: data.draw(TEXTS) for one in inspect.signature(BUILDERS[name]).parameters}
    try:
        key = BUILDERS[name](**given_)
    except ConfigError:
        return
    assert re.fullmatch(r"ms1(:[A-Za-z0-9._@/-]*)+", key, re.ASCII)
    asked = [text for one, text in given_.items() if one not in {"universe_name", "screen", "name"}]
    assert not any(":" in text for text in asked)
    plain = dict.fromkeys(given_, "x")
    more = sum(given_.get(one, "").count(":") for one in ("screen", "name"))
    assert key.count(":") == BUILDERS[name](**plain).count(":") + more
    assert more <= 1


@given(st.sampled_from(sorted(BUILDERS)), TEXTS, TEXTS)
@example("bars", "a:1d:BBB", "a")
@example("scan", "AAA:records", "AAA")
@example("latest", "a:b", "a")
def test_no_two_texts_share_a_key(name, one, other):
    """In each place of each kind."""
    for place in inspect.signature(BUILDERS[name]).parameters:
        plain = dict.fromkeys(inspect.signature(BUILDERS[name]).parameters, "x")
        try:
            made = [BUILDERS[name](**plain | {place: text}) for text in (one, other)]
        except ConfigError:
            continue
        assert (made[0] == made[1]) == (one == other)


@pytest.mark.parametrize("trick", [text for text in TRICKS if text not in {"", "../a"}])
def test_the_id_of_a_scan_is_no_other_text(trick):
    """As `scan show` and others get it; the message fits a line and moves no cursor."""
    with pytest.raises(ConfigError, match="expected the id of a scan") as caught:
        keys.scan(trick)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_universes_are_free_text():
    """They are hashed."""
    assert len({keys.lock("s", text) for text in TRICKS}) == len(TRICKS)
