"""The scan language: what is read as what, and what is refused at which place."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from scanner.errors import ConfigError, ExpressionError
from scanner.indicators.registry import stems
from scanner.rules.check import compile_number, compile_rule
from scanner.rules.lex import WORDS
from scanner.rules.names import TEXTS
from scanner.rules.screens import read_screens
from scanner.rules.tree import Comparison, Constant, Logic, Membership, Series, walk
from scanner.rules.usage import USAGE
from scanner.rules.wording import worded

GOOD = [
    "rsi(14) < 30 and close > sma(200)",
    "crosses_above(macd(), macd_signal()) and relative_volume(20) > 1.5",
    "within(3, crosses_above(rsi(14), 30)) and all_of(5, close > ema(10))",
    """rank(roc(63)) >= 0.9 and rs("SPY", 63) > 0
       and tf("1w", close > ema(10)) and sector != "Utilities" """,
    'dollar_volume(20) > 5M and 20 < rsi(14) < 40 and type in ("CS", "ADRC")',
    "obv > ago(20, obv) and slope(5, obv) > 0 and obv - ago(3, obv) > 1M",
    "bbands_upper(20, 2.5) > close",
    "cdl_engulfing > 0 or since(cdl_engulfing > 0) < 3",
]


@pytest.mark.parametrize("source", GOOD)
def test_rules_that_traders_write_are_read(source):
    """The joined terms are those that were written, in their order."""
    places = [source.index(term.text) for term in compile_rule(source).terms]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("a > 1 and b > 2 or c > 3", "(a > 1 and b > 2) or c > 3"),
        ("not a > 1 and b > 2", "(not (a > 1)) and b > 2"),
        ("a + b * c > d / e - f", "(a + (b * c)) > ((d / e) - f)"),
        ("-a * b > 1", "(-a) * b > 1"),
        ("a - b - c > 0", "(a - b) - c > 0"),
        ("a / b / c > 0", "(a / b) / c > 0"),
        ("1 < a < b <= 2", "1 < a and a < b and b <= 2"),
        ("a between 1 and 2 and b > 3", "a >= 1 and a <= 2 and b > 3"),
        ("a not between 1 and 2", "not (a >= 1 and a <= 2)"),
        ("a in (1, 2)", "a == 1 or a == 2"),
        ("obv in (ago(1, obv))", "obv == ago(1, obv)"),
        ("a not in (1, 2)", "not (a == 1 or a == 2)"),
        ("a is null", "not (a is not null)"),
        ("A > 1 AND NOT B > 2", "a > 1 and not b > 2"),
        ("a > 1 && !(b > 2) || c > 3", "a > 1 and not b > 2 or c > 3"),
        ("a = 1 and b <> 2", "a == 1 and b != 2"),
        ("a > 1.5M and b > 10k and c > 2B and d > 5%", "a>1500000 and b>10000 and c>2e9 and d>.05"),
        ("a > 1%-b", "a > 0.01 - b"),
        ("a > 57% or a > 7% or a > 99%", "a > 0.57 or a > 0.07 or a > 0.99"),
        ("macd(8) > 0", "macd(8, 26) > 0"),
        ("bbands_upper(20, 2) > 1", "bbands_upper_20_2 > 1"),
        ('sector = "A"', '"A" == sector'),
        ('type in ("CS")', "type == 'CS'"),
        ("crosses_above(a, b)", "ago(1, a) <= ago(1, b) and a > b"),
        ("crosses_below(a, b)", "ago(1, a) >= ago(1, b) and a < b"),
    ],
)
def test_two_spellings_mean_the_same(one, same):
    """Precedence, chains, words in any case, suffixes and usual numbers."""
    names = {"a": "close", "b": "open", "c": "high", "d": "low", "e": "volume", "f": "ema_5"}

    def meaning(text):
        words = (names.get(word.lower(), word) for word in split_words(text))
        return compile_rule("".join(words)).condition

    assert meaning(one) == meaning(same)


def split_words(text):
    """Return words and what stands between them."""
    word, parts = "", []
    for character in text:
        if character.isalnum() or character in "_.":
            word += character
        else:
            parts += [word, character]
            word = ""
    return [*parts, word]


REFUSED = [
    ("rsy(14) < 3", "unknown function 'rsy': did you mean", "^^^^^^^"),
    ("clsoe > 3", "unknown name 'clsoe': did you mean close", "^^^^^"),
    ("rsi < 30", r"rsi is an indicator: rsi\(\), or rsi\(14\)", "^^^"),
    ("rsi(14, 3) < 30", "expected 1 number", "^^^^^^^^^^"),
    ("rsi(1.5) < 30", "expected a whole number", "^^^^^^^^"),
    ("rsi(close) < 30", "an indicator's numbers are written out", "    ^^^^^"),
    ("sma(1001) > 3", "expected at most 1,000 bars, got 1,001", "^^^^^^^^^"),
    ("sma_1001 > 3", "expected at most 1,000 bars, got 1,001", "^^^^^^^^"),
    ("ago(0, close) > 3", "n: expected a whole number from 1 to 1,000", "    ^"),
    ("ago(1001, close) > 3", "n: expected a whole number from 1 to 1,000", "    ^^^^"),
    ("ago(600, ago(600, close)) > 3", "looks back 1,200 bars, at most 1,000 in all", None),
    ("ago(5) > 3", r"expected ago\(n, x or c\), got 1 argument", "^^^^^^"),
    ("within(3, close)", "expected a condition, got a number", "          ^^^^^"),
    ("highest(3, close > 2) > 1", "expected a number, got a condition", None),
    ("close", "expected a condition, got a number", "^^^^^"),
    ("(close > 1) + 2 > 1", "expected a number, got a condition", None),
    ("slope(1, close) > 1", "a slope needs 2 bars or more", "      ^"),
    ('tf("1h", close > 1)', 'expected a timeframe, one of "1w"', "   ^^^^"),
    ('tf("1w", tf("1mo", close > 1))', "cannot stand inside another one", None),
    ('within(40, tf("1w", close > 1))', "looked back at by 30 bars at most, not by 39", None),
    ('since(tf("1w", close > 1)) > 2', "not by any number of", None),
    ('tf("1w", rs("SPY", 3) > 1)', "is of daily bars", None),
    ("within(3, rank(close) > 0.5)", r"cannot stand inside within\(...\)", None),
    ('tf("1w", zscore(close) > 0.5)', r"cannot stand inside tf\(...\)", None),
    ('within(3, sector == "A")', "the same at each bar", None),
    ('sector > "A"', "texts are compared by ==, != or in", "^^^^^^^^^^^^"),
    ("sector == name", "sector is a text: compare it", "^^^^^^"),
    ('close == "A"', "only symbol, name, sector, type or exchange can be compared", "^^^^^"),
    ('"A" == "B"', "only symbol, name", None),
    ('type in ("CS", 3)', "expected a text: the others of this list are texts", None),
    ('rs("S PY", 3) > 0', "'S PY' is not a symbol", "   ^^^^^^"),
    ("rs(SPY, 3) > 0", "expected the benchmark's symbol in quotes", None),
    ('beta("SPY", 1) > 0', "beta needs 2 bars or more", None),
    ("obv > 0", "obv is a running total", "^^^^^^^"),
    ("adi > obv", "adi is a running total", None),
    ("obv * 2 > obv", "obv is a running total", None),
    ("obv in (1, 2)", "obv is a running total", None),
    ("rank(cumulative_return) > 0.9", "cumulative_return is a running total", None),
    ('tf("1w", obv) > obv', "obv is a running total", None),
    ("close >", "expected a number, a name or a bracket, got the end", "       ^"),
    ("close > 3 close", "expected an operator or the end, got 'close'", "          ^^^^^"),
    ("(close > 3", "expected a closing bracket, got the end", None),
    ("max(close, 3 > 1", "expected a comma or a closing bracket", None),
    ("close not 3", "expected in or between, got '3'", None),
    ("close is 3", "expected null or not null", None),
    ("5x > close", "perhaps with k, M, B or %, got '5x'", "^^"),
    ("close[1] > 2", r"unexpected character '\[': bars before are ago\(1, close\)", "     ^"),
    ("close % 2 > 1", "% belongs right behind a number", "      ^"),
    ("close > 1e999", "this number is too large", "        ^^^^^"),
    ('type == "CS', 'this text has no closing "', "        ^^^"),
    ("type == '" + "x" * 101 + "'", "a text has at most 100 characters", None),
    ("", "got the end", "^"),
    ("close > 1 end or foo", "expected an operator or the end, got 'end'", "          ^^^"),
    ("close > 1 end", "expected an operator or the end, got 'end'", None),
    ("change(20, obv * close) > 0", "obv is a running total", None),
    ("slope(5, log(obv)) > 0", "obv is a running total", None),
    ("type == 'C\x7fS'", "a text holds a control character", None),
    ("close in (obv)", "obv is a running total", None),
    ("close > 1 is null", "put one of both comparisons in brackets", "          ^^"),
    ("1 < close in (2, 3)", "put one of both comparisons in brackets", None),
]


@pytest.mark.parametrize(("source", "message", "carets"), REFUSED)
def test_a_mistake_is_shown_at_its_place(source, message, carets):
    """The message says what was expected, the carets stand under what is wrong."""
    with pytest.raises(ExpressionError, match=message) as caught:
        compile_rule(source)
    if carets is not None:
        assert str(caught.value).splitlines()[-1] == f"  {carets}"


def test_a_term_keeps_its_brackets():
    """Its text can be read again, as the whole rule was."""
    rule = compile_rule("(close + open) / 2 > 1 and ((high > 2)) and (low > 1) is null")
    texts = [term.text for term in rule.terms]
    assert texts == ["(close + open) / 2 > 1", "((high > 2))", "(low > 1) is null"]
    assert [compile_rule(text).condition for text in texts] == [t.condition for t in rule.terms]


def test_limits_hold():
    """1,000 characters, 250 parts and 40 levels are the most that is read."""
    assert compile_rule(" or ".join(["close > 1"] * 62))
    with pytest.raises(ExpressionError, match="more than 250 parts"):
        compile_rule("||".join(["close>1"] * 80))
    assert compile_rule("(" * 38 + "close > 1" + ")" * 38)
    with pytest.raises(ExpressionError, match="nested more than 40 deep"):
        compile_rule("(" * 41 + "close > 1" + ")" * 41)
    with pytest.raises(ExpressionError, match="expected at most 1,000 characters, got 1,001"):
        compile_rule(" " * 1_000 + "1")


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("count(1, ", " between 0 and 1)"),
        ("count(1, ", " in (0, 1))"),
        ("count(1, crosses_above(", ", 1))"),
        ("count(1, 0 < ", " < 1)"),
    ],
)
def test_what_repeats_its_parts_is_limited_too(inner, outer):
    """Each level would double the work; written out it is too long."""
    with pytest.raises(ExpressionError, match=r"written out .* more than 1,000 parts"):
        compile_rule(inner * 18 + "close" + outer * 18 + " > 0")
    assert compile_rule(inner * 4 + "close" + outer * 4 + " > 0")


def test_a_text_that_the_universe_lacks_is_refused():
    """Only what the universe tells of its symbols can be asked for; the symbol always can."""
    assert compile_rule('symbol == "A"', texts=()).condition == Membership(
        field="symbol", values=frozenset({"A"})
    )
    with pytest.raises(ConfigError, match="does not tell the sector of its symbols"):
        compile_rule('sector == "A"', texts=("type",))
    with pytest.raises(ConfigError, match="does not tell the sector"):
        compile_rule("rank_in(sector, close) > 0.5", texts=())


@pytest.mark.parametrize(
    "source",
    [
        *GOOD,
        "if(close > 1, -open, coalesce(max(open, 2), 3)) / 4 != 5",
        'tf("1mo!", close > ago(2, close)) or rank_in(sector, close) > 0.5 or zscore(low) < 1',
        "count(3, not (close is null)) > 2",
        "sector is not null and type is null",
        """name in ('say "yes"', "no")""",
        'lowest(5, low) < change(2, high) and beta("SPY", 20) > corr("SPY", 20)',
    ],
)
def test_the_wording_of_a_rule_is_read_as_the_same_rule(source):
    """What is shown of a part can be typed in again."""
    condition = compile_rule(source).condition
    assert compile_rule(worded(condition)).condition == condition


def test_what_ranks_is_a_number():
    """A screen is ranked by a number that can be compared between symbols."""
    assert compile_number("-rsi(14)")
    with pytest.raises(ExpressionError, match="expected a number, got a condition"):
        compile_number("close > 1")
    with pytest.raises(ExpressionError, match="running total"):
        compile_number("obv")


def test_the_tree_is_frozen_and_what_is_equal_is_one():
    """A part that occurs twice is the same key, so that it is computed once."""
    condition = compile_rule("close > 1 and not close > 1").condition
    assert isinstance(condition, Logic)
    assert set(walk(condition)) == {
        condition,
        condition.args[1],
        Comparison(op=">", left=Series(name="close"), right=Constant(value=1.0)),
        Series(name="close"),
        Constant(value=1.0),
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        condition.op = "or"


def test_no_name_means_two_things():
    """Functions, indicators, texts and words of the language are apart from one another."""
    names = [*USAGE, *stems(), *TEXTS, *WORDS]
    assert len(names) == len(set(names))


def test_the_page_names_every_function():
    """And no function that is not there."""
    page = (Path(__file__).parents[3] / "docs/language.md").read_text()
    table = page.partition("## Functions")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z_]+)\(", "".join(re.findall(r"(?m)^\| (.*?) \|", table))))
    assert named == set(USAGE)


def test_what_the_page_shows_is_read():
    """Every rule of the page that is written out is one."""
    page = (Path(__file__).parents[3] / "docs/language.md").read_text()
    shown = re.findall(r"(?m)^    (\S.*)$", page) + re.findall(r"`([^`]*obv > [^`]*)`", page)
    assert len(shown) >= 2
    for source in shown:
        assert compile_rule(source)


def test_the_screen_of_the_page_is_one():
    """With every key that there is."""
    page = (Path(__file__).parents[3] / "docs/language.md").read_text()
    (text,) = re.findall(r"(?ms)^```toml\n(.*?)^```", page)
    found = read_screens(text)
    assert found.mistakes == {}
    assert found.good[0].limit == 50


def test_both_sides_of_between_are_one_term():
    """They would be told twice, with the same text."""
    rule = compile_rule("rsi(14) between 20 and 70 and 20 < close < 40")
    assert [term.text for term in rule.terms] == [
        "rsi(14) between 20 and 70",
        "20 < close",
        "close < 40",
    ]
