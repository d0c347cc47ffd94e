"""The aggregate: ranks, two ledgers that sum to the universe, and what entered and left."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_builders import absence, facts, row

from scanner.results.aggregate import aggregate, complete_records, why_nothing
from scanner.results.diff import entered, left
from scanner.results.report import Absence, Row
from scanner.rules.check import compile_number, compile_rule
from scanner.rules.score import COMPONENTS
from scanner.rules.screens import SCREENS, Screen

STATES = ["stale", "no_data:no_bars", "error:BadBars", "deferred:budget", "insufficient_history"]
TWO = (
    Screen(name="one", description="1.", where=compile_rule("rsi(14) < 30 and close > sma(200)")),
    Screen(name="two", description="2.", where=compile_rule("close > sma(200)"), limit=3),
)
#: Of both terms: true, false, unknown.
INPUT = st.sampled_from([1.0, 0.0, None])


@st.composite
def any_records(draw):
    """Draw one record for each of up to 15 symbols, rows with outcomes and gaps at random."""
    records = []
    for number in range(draw(st.integers(0, 15))):
        if draw(st.booleans()):
            values = {
                "momentum_252_21": draw(st.sampled_from([None, 0.1, 0.1, 0.2])),
                "distance_sma_200": draw(st.sampled_from([None, -0.5, 1.0])),
                "relative_volume_20": None,
                "distance_high_252": draw(st.sampled_from([None, 0.0])),
            }
            records.append(row(f"S{number}", values, (draw(INPUT), draw(INPUT))))
        else:
            state = draw(st.sampled_from(STATES))
            records.append(absence(f"S{number}", state, final=draw(st.booleans())))
    return draw(st.permutations(records))


@given(any_records())
def test_both_ledgers_sum_to_the_universe(records):
    """The scan's own, and that of each screen."""
    report = aggregate(facts(), records, TWO, {})
    assert report.symbols == len(records)
    assert sum(report.ledger.values()) == len(records)
    for screen in report.screens.values():
        assert sum(screen.ledger.values()) == len(records)
        assert screen.ledger["absent"] == len(report.absences)
        assert screen.ledger["hit"] == len(screen.hits)
    two = report.screens["two"]
    assert two.listed == two.hits[:3]


@given(any_records())
def test_every_symbol_is_in_the_report_once(records):
    """As a row or as an absence, and findable."""
    report = aggregate(facts(), records, TWO, {})
    names = [one.row.symbol for one in report.rows] + [one.symbol for one in report.absences]
    assert sorted(names) == sorted(one.symbol for one in records)
    for one in records:
        found = report.find(one.symbol)
        if isinstance(one, Row):
            bare = {"outcomes": {}, "terms": {}, "places": {}, "inputs": one.inputs}
            assert dataclasses.replace(found.row, **bare) == one
        else:
            assert found == one
    assert report.find("nobody") is None


@given(any_records())
def test_rows_are_ranked_by_score_and_the_order_of_records_does_not_matter(records):
    """Rows without a score come last; contributions sum to the score."""
    report = aggregate(facts(), records, TWO, {})
    assert report == aggregate(facts(), sorted(records, key=lambda one: one.symbol), TWO, {})
    assert [one.rank for one in report.rows] == list(range(1, len(report.rows) + 1))
    keys = [(one.score is None, -(one.score or 0.0)) for one in report.rows]
    assert keys == sorted(keys)
    for one in report.rows:
        known = [points for points in one.contributions.values() if points is not None]
        assert (one.score is None) == (not known)
        assert sum(known) == pytest.approx(one.score or 0.0, abs=1e-5)


@pytest.mark.parametrize("value", [0.1, None])
def test_rows_with_the_same_values_are_ranked_by_symbol(value):
    """With a score and without."""
    values = dict.fromkeys(COMPONENTS.values(), value)
    report = aggregate(facts(), [row(s, values) for s in ("B", "C", "A")], SCREENS, {})
    assert [one.row.symbol for one in report.rows] == ["A", "B", "C"]


def test_the_ledger_counts_each_state():
    """Scored first, the others by name."""
    records = [row("A"), absence("B"), absence("C", "error:BadBars"), absence("D")]
    report = aggregate(facts(), records, SCREENS, {})
    assert list(report.ledger.items()) == [("scored", 1), ("error:BadBars", 1), ("stale", 2)]
    assert [one.symbol for one in report.absences] == ["B", "C", "D"]


def test_a_screen_that_keeps_nothing_says_why():
    """Zero hits is a diagnosed state."""
    records = [row("A", inputs=(None, 0.0)), row("B", inputs=(1.0, None))]
    screen = aggregate(facts(), records, TWO[:1], {}).screens["one"]
    assert screen.hits == ()
    miss = "miss:close > sma(200)"
    assert screen.ledger == {"hit": 0, miss: 1, "unknown:undefined": 1, "absent": 0}


def test_a_row_that_a_screen_did_not_see_is_unknown():
    """A worker of another version may not know the screen."""
    screen = aggregate(facts(), [row("A", inputs=(1.0,))], TWO[:1], {}).screens["one"]
    assert screen.ledger == {"hit": 0, "unknown:undefined": 1, "absent": 0}


def test_hits_are_listed_by_the_number_of_their_screen():
    """The largest first, what is unknown last, equals by rank; the limit cuts the list only."""
    screen = Screen(
        name="most",
        description="By close.",
        where=compile_rule("rank(close) > 0"),
        rank_by=compile_number("change(1, close)"),
        limit=3,
    )
    asked = {"A": (5.0, 0.1), "B": (4.0, None), "C": (3.0, 0.2), "D": (2.0, 0.1), "E": (None, 9.0)}
    rows = [row(symbol, inputs=inputs) for symbol, inputs in asked.items()]
    found = aggregate(facts(), rows, [screen], {}).screens["most"]
    assert found.hits == ("C", "A", "D", "B")
    assert found.listed == ("C", "A", "D")
    assert found.ledger == {"hit": 4, "unknown:undefined": 1, "absent": 0}
    assert found.ranked_among == {"rank(close)": 4}
    report = aggregate(facts(), rows, [screen], {})
    assert {one.row.symbol: one.row.places["rank(close)"] for one in report.rows} == {
        "A": 1.0,
        "B": 0.75,
        "C": 0.5,
        "D": 0.25,
        "E": None,
    }


def test_a_filter_stands_before_the_rule():
    """What a screen's universe leaves out is neither a hit nor a miss of it."""
    screen = Screen(
        name="calm",
        description="Old and dear.",
        where=compile_rule("close > sma(200)"),
        universe={"price": compile_rule("close >= 5"), "type": compile_rule('type in ("CS")')},
        history=200,
    )
    asked = {"A": (1.0, 1.0), "B": (0.0, 1.0), "C": (1.0, 0.0), "D": (1.0, 1.0), "E": (1.0, 1.0)}
    rows = [row(symbol, inputs=inputs) for symbol, inputs in asked.items()]
    rows[3] = dataclasses.replace(rows[3], bars=199)
    types = {"type": {"A": "CS", "B": "CS", "C": "CS", "D": "CS"}}
    found = aggregate(facts(), rows, [screen], {}, types).screens["calm"]
    assert found.ledger == {
        "hit": 1,
        "filtered:history": 1,
        "filtered:price": 1,
        "miss:close > sma(200)": 1,
        "unknown:no_type": 1,
        "absent": 0,
    }


def test_hits_are_listed_best_first():
    """By the rank of their rows."""
    rows = [row(s, {"momentum_252_21": v}) for s, v in (("A", 0.1), ("B", 0.3), ("C", 0.2))]
    assert aggregate(facts(), rows, SCREENS, {}).screens["all"].hits == ("B", "C", "A")


def test_a_screen_is_compared_with_its_last_complete_scan():
    """What is new, and what is gone."""
    records = [row("A"), row("B"), absence("C")]
    screen = aggregate(facts(), records, SCREENS, {"all": ["C", "B", "X"]}).screens["all"]
    assert (screen.entered, screen.left) == (("A",), ("C", "X"))


def test_a_first_scan_has_no_change():
    """Else every hit would be an entrant; but a last scan without hits counts."""
    first = aggregate(facts(), [row("A")], SCREENS, {}).screens["all"]
    second = aggregate(facts(), [row("A")], SCREENS, {"all": []}).screens["all"]
    assert (first.entered, first.left) == ((), ())
    assert (second.entered, second.left) == (("A",), ())


@pytest.mark.parametrize(
    ("message", "records", "state"),
    [
        ("", [row("A"), absence("B")], "done"),
        ("", [row("A"), absence("B", final=False)], "degraded"),
        ("", [absence("B")], "done"),
        ("no key", [absence("B")], "failed"),
        ("no key", [], "failed"),
        ("no key", [row("A"), absence("B", "deferred:stopped", final=False)], "degraded"),
    ],
)
def test_the_state_says_whether_the_report_is_whole(message, records, state):
    """Degraded where another try may still give a row; failed where there is none."""
    assert aggregate(facts(message=message), records, SCREENS, {}).state == state


@pytest.mark.parametrize("order", [("price", "volume"), ("volume", "price")])
def test_what_a_filter_leaves_out_is_so_whatever_is_unknown(order):
    """In any order of the filters; an unknown one makes only a hit unknown."""
    rules = {"price": "close >= 5", "volume": "sma(20) >= 1"}
    screen = Screen(
        name="one",
        description="1.",
        where=compile_rule("open > 1"),
        universe={name: compile_rule(rules[name]) for name in order},
    )
    known = {"open > 1": 1.0, "close >= 5": 0.0, "sma(20) >= 1": None}

    def found():
        asked = [known[rules[name]] for name in order] + [known["open > 1"]]
        rows = [row("A", inputs=tuple(asked))]
        return aggregate(facts(), rows, [screen], {}).rows[0].row.outcomes["one"]

    assert found() == "filtered:price"
    known["close >= 5"] = 1.0
    assert found() == "unknown:undefined"
    known["open > 1"] = 0.0
    assert found() == "miss:open > 1"


def test_a_limit_makes_nobody_leave():
    """Who is pushed below the listed hits is a hit still."""
    rows = [row(symbol, inputs=(float(n), float(n))) for n, symbol in enumerate("ABCDE", start=1)]
    screen = Screen(
        name="two",
        description="2.",
        where=compile_rule("rank(close) > 0"),
        rank_by=compile_number("open"),
        limit=2,
    )
    found = aggregate(facts(), rows, [screen], {"two": list("ABCDE")}).screens["two"]
    assert (len(found.hits), len(found.listed)) == (5, 2)
    assert (found.entered, found.left) == ((), ())
    found = aggregate(facts(), rows, [screen], {"two": ["E", "D"]}).screens["two"]
    assert (found.entered, found.left) == (("C", "B", "A"), ())


def test_one_record_a_symbol_is_completed_from_what_there_is():
    """The final one, else the waiting one, else deferred, in the universe's order."""
    final, waiting = row("A"), absence("B", "error:ProviderUnavailable", final=False)
    got = complete_records(
        ["C", "B", "A"], {"A": final}, {"A": absence("A", final=False), "B": waiting}
    )
    assert got[1:] == [waiting, final]
    assert (got[0].symbol, got[0].state, got[0].final) == ("C", "deferred:unfinished", False)


def test_records_outside_the_universe_are_left_out():
    """The ledger sums to what was asked for."""
    assert complete_records([], {"A": row("A")}, {}) == []


def test_a_stopped_scan_gives_its_reason_to_every_symbol_left():
    """Why it stopped, not that no worker came."""
    got = complete_records(["A"], {}, {}, "the provider does not accept the key")
    assert got == [
        Absence(
            symbol="A",
            state="deferred:stopped",
            reason="the provider does not accept the key",
            final=False,
        )
    ]


@given(st.lists(st.sampled_from("ABCDEF"), unique=True), st.lists(st.sampled_from("ABCDEF")))
def test_entered_and_left_are_each_others_mirror(now, before):
    """Together with what stayed they make up both lists, in their order."""
    assert entered(now, before) == tuple(s for s in now if s not in before)
    assert left(now, before) == entered(before, now)
    assert not set(entered(now, before)) & set(left(now, before))


def test_a_scan_with_a_row_has_not_failed_as_a_whole():
    """Whatever others wait for; without one the reason is that of an error, if there is any."""
    waits, fails = absence("AAA", "deferred:budget", final=False), absence(state="error:Reset")
    fails = dataclasses.replace(fails, final=False)
    assert why_nothing([waits, row("CCC")]) == ""
    assert why_nothing([waits, fails]) == "no symbol has a row: BBB: why"
    assert why_nothing([absence(), waits]) == "no symbol has a row: AAA: why"
    assert why_nothing([absence()]) == ""
