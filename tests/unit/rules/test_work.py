"""What rules cost is known before anything is computed, and bounded."""

from __future__ import annotations

import pytest
from hostile_inputs import SEEDS

from scanner.errors import ExpressionError
from scanner.rules.check import compile_number, compile_rule
from scanner.rules.screens import read_screens, shipped
from scanner.rules.work import MAX_STEPS, MAX_STEPS_OF_SCREENS, steps


def many(term, count):
    """Return so many terms joined by `and`; `{n}` in it is another number in each."""
    return " and ".join(term.replace("{n}", str(999 - n)) for n in range(count))


@pytest.mark.parametrize(
    "source",
    [
        many('since(corr("SPY", {n}) > 0) > 0', 20),
        many('since(beta("SPY", {n}) > 0) > 0', 20),
        many("since(slope({n}, close) > 0) > 0", 20),
        "+".join(f"rsi({n})" for n in range(900, 980)) + " > 1",
        many('ago(29, tf("1w", sma({n}) > 1))', 20),
    ],
)
def test_a_rule_that_would_take_minutes_is_refused(source):
    """Each is within all other limits, and takes seconds for each block of symbols."""
    assert len(source) <= 1_000
    with pytest.raises(ExpressionError, match="steps a symbol, at most 1,000,000"):
        compile_rule(source)


def test_a_number_to_rank_by_is_bounded_too():
    """As are conditions in it."""
    condition = many('since(corr("SPY", {n}) > 0) > 0', 20)
    with pytest.raises(ExpressionError, match="steps a symbol"):
        compile_number(f"if({condition}, 1, 0)")


@pytest.mark.parametrize("source", SEEDS)
def test_rules_that_people_write_are_far_from_the_limit(source):
    """Or nobody could use the language."""
    known = source.replace("x between", "close between")
    assert steps([compile_rule(known).condition]) < MAX_STEPS / 5


def test_the_screens_that_come_along_are_far_from_the_limit():
    """All together."""
    asked = [one for screen in read_screens(shipped()).good for one in screen.asked]
    assert steps(asked) < MAX_STEPS_OF_SCREENS / 50


def test_what_occurs_twice_is_counted_once():
    """As it is computed."""
    once, twice = (compile_rule(many("rsi(14) > 1", n)).condition for n in (1, 2))
    assert steps([twice]) - steps([once]) == 1  # the `and`


def test_more_bars_cost_more():
    """And all bars most."""
    sources = ["close > 1", "within(9, close > 1)", "within(99, close > 1)", "since(close > 1) > 1"]
    found = [steps([compile_rule(source).condition]) for source in sources]
    assert found == sorted(set(found))


def test_screens_that_ask_too_much_together_are_left_out_from_there_on():
    """With their line; those before them still run."""
    terms = [many(f'since(corr("A{n}", {{n}}) > 0) > 0', 8) for n in range(40)]
    text = "".join(f"[s{n}]\ndescription = 'x'\nwhere = '{term}'\n" for n, term in enumerate(terms))
    found = read_screens(text)
    assert 10 < len(found.good) < 40
    assert len(found.good) + len(found.mistakes) == 40
    name = f"s{len(found.good)}"
    line = 3 * len(found.good) + 1
    assert found.mistakes[name].startswith(f"screens.toml:{line}:1: screen {name}: with those")
