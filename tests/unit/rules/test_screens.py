"""Screens: those that come along, files of one's own, and the mistakes in them."""

from __future__ import annotations

import pytest

from scanner.errors import ConfigError
from scanner.rules.check import compile_rule
from scanner.rules.screens import ALL, MAX_SCREENS, read_screens, shipped

GOOD = """
[calm]
description = "Nothing happens."
source = "me"
where = "abs(return(1)) < 1%"
rank_by = "-close"
columns = ["volume", "rsi_14"]
limit = 5
universe = { type = ["CS", "ADR\\"C"], price = 5, dollar_volume = 1.5e6, history = 300 }
"""

MISTAKES = {
    "unknown name": (
        '[a]\ndescription = "x"\nwhere = "rsy(14) < 3"\n',
        "3:10: screen a: where: unknown function 'rsy'",
    ),
    "in the third line of an expression": (
        '[a]\ndescription = "x"\nwhere = """\nclose > 3\nand clsoe > 1"""\n',
        "5:5: screen a: where: unknown name 'clsoe'",
    ),
    "unknown key": (
        '[a]\ndescription = "x"\nwher = "close > 1"\n',
        "3:1: screen a: unknown key 'wher': did you mean where?",
    ),
    "without a rule": ('\n\n[a]\ndescription = "x"\n', "3:1: screen a: where is missing"),
    "without a description": (
        '[a]\nwhere = "close > 1"\n',
        "1:1: screen a: description is missing",
    ),
    "no text": (
        '[a]\ndescription = 3\nwhere = "close > 1"\n',
        "2:1: screen a: description: expected a text, got 3",
    ),
    "ranked by a condition": (
        '[a]\ndescription = "x"\nwhere = "close > 1"\nrank_by = "close > 1"\n',
        "4:12: screen a: rank_by: expected a number, got a condition",
    ),
    "no column": (
        '[a]\ndescription = "x"\nwhere = "close > 1"\ncolumns = ["rsi_14", "rsi"]\n',
        "4:23: screen a: columns: column 'rsi'",
    ),
    "no limit": (
        '[a]\ndescription = "x"\nwhere = "close > 1"\nlimit = 0\n',
        "4:1: screen a: limit: expected a whole number above 0, got 0",
    ),
    "unknown filter": (
        '[a]\ndescription = "x"\nwhere = "close > 1"\n[a.universe]\nprise = 3\n',
        "5:1: screen a: unknown key 'prise': did you mean price?",
    ),
    "a filter of another kind": (
        '[a]\ndescription = "x"\nwhere = "close > 1"\nuniverse = { price = "3" }\n',
        "screen a: price: expected a number of 0 or more, got '3'",
    ),
    "a name that is taken": (
        '[all]\ndescription = "x"\nwhere = "close > 1"\n',
        "screen all: expected",
    ),
    "too many columns": (
        f'[a]\ndescription = "x"\nwhere = "close > 1"\ncolumns = {["rsi_14"] * 31}\n',
        "4:1: screen a: columns: expected at most 30, got 31",
    ),
    "more bars than there are": (
        '[a]\ndescription = "x"\nwhere = "close > 1"\n[a.universe]\nhistory = 100_000\n',
        "5:1: screen a: history: expected a whole number from 1 to 2,520, got 100000",
    ),
    "what a terminal obeys": (
        '[a]\ndescription = "\\u001b]0;owned\\u0007"\nwhere = "close > 1"\n',
        "2:1: screen a: description: expected a text",
    ),
    "a name that a terminal obeys": (
        '["\\u001b[2J"]\ndescription = "x"\nwhere = "close > 1"\n',
        r"screen \x1b[2J: expected a name",
    ),
    "deeper than any table": (
        "[a]\ndescription = 'x'\nwhere" + ".a" * 900 + " = 1\n",
        "screen a: where: expected a text, got a table",
    ),
    "no table": ('a = "close > 1"\n', "1:1: screen a: expected a table"),
}


def test_ten_screens_come_along():
    """Each is checked, says what it looks for and whose idea it is, and can be ranked."""
    found = read_screens(shipped())
    assert found.mistakes == {}
    assert len(found.good) == 10
    for screen in found.good:
        assert screen.description.endswith(".")
        assert screen.source
        assert screen.rank_by is not None
        assert screen.columns
    bars = {screen.name: screen.bars for screen in found.good}
    assert bars["golden_cross"] == 203
    assert bars["inside_day"] == 20
    assert bars["momentum_leaders"] == 253
    assert max(bars.values()) == 253


def test_a_screen_holds_what_its_table_says():
    """Filters of the universe become rules, with their texts in quotes."""
    (screen,) = read_screens(GOOD).good
    assert (screen.name, screen.limit, screen.history, screen.bars) == ("calm", 5, 300, 300)
    assert screen.universe["price"].condition == compile_rule("close >= 5").condition
    assert (
        screen.universe["type"].condition == compile_rule("""type in ("CS", 'ADR"C')""").condition
    )
    assert (
        screen.universe["dollar_volume"].condition
        == compile_rule("dollar_volume(20) >= 1500000").condition
    )


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_reported_with_its_line(name):
    """File, line and column stand first, and the other screens are still good."""
    text, message = MISTAKES[name]
    found = read_screens(f"{text}\n[other]\ndescription = 'x'\nwhere = 'close > 1'\n", "mine.toml")
    assert [screen.name for screen in found.good] == ["other"]
    (mistake,) = found.mistakes.values()
    assert mistake.startswith("mine.toml:")
    assert message in mistake


def test_a_mistake_is_looked_for_in_its_own_screen():
    """Not where another one has the same key, or is called like a key."""
    text = """
[limit]
description = "x"
where = "close > 1"
limit = 3

[second]
description = "x"
where = "close > 1"
limit = -1
"""
    found = read_screens(text)
    assert found.mistakes["second"].startswith("screens.toml:10:1:")
    inline = """
[first]
description = "x"
where = "close > 1"
universe = { price = "five" }

[second]
description = "x"
where = "close > 1"

[second.universe]
price = 5
"""
    assert read_screens(inline).mistakes["first"].startswith("screens.toml:2:1:")


def test_a_screen_is_remembered_by_its_rule():
    """Hits of another rule of the same name are no hits before."""
    one, other = (
        read_screens(f"[a]\ndescription = 'x'\nwhere = 'close > {n}'\n").good[0] for n in (1, 2)
    )
    assert one.key != other.key
    assert one.key.startswith("a:")
    assert ALL.key == "all"


def test_a_filter_that_the_universe_cannot_answer_is_a_mistake():
    """A screen of common stock needs a universe that tells types."""
    found = read_screens(GOOD, texts=())
    assert "does not tell the type of its symbols" in found.mistakes["calm"]


@pytest.mark.parametrize("text", ["[a", "a = 1\na = 2", "[a]\nwhere = '", "\x00"])
def test_what_is_no_toml_is_refused(text):
    """The message is that of the reader of TOML, behind the name of the file."""
    with pytest.raises(ConfigError, match=r"screens.toml: expected TOML: \w"):
        read_screens(text)


def test_a_line_has_its_limit():
    """A key of thousands of parts takes TOML's reader minutes."""
    with pytest.raises(ConfigError, match=r"screens.toml:2: expected at most 2,500 characters"):
        read_screens("\n" + ".".join("a" * 50_000) + " = 1")


def test_a_file_has_its_limits():
    """Neither thousands of screens nor megabytes are read."""
    many = "".join(
        f"[a{n}]\ndescription = 'x'\nwhere = 'close > 1'\n" for n in range(MAX_SCREENS + 1)
    )
    with pytest.raises(ConfigError, match="expected at most 100 screens, got 101"):
        read_screens(many)
    with pytest.raises(ConfigError, match="expected at most 200,000 characters"):
        read_screens(" " * 200_001)
