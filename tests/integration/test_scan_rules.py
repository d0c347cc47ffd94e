"""Screens of a scan from the request to the report: through Redis, in batches, by all rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from runtime_builders import messages, runtime_on
from scan_builders import ScriptedProvider, series

from scanner.errors import RateLimited, UnknownSymbol
from scanner.rules.screens import one_screen
from scanner.spec import Batch
from scanner.timeframe import day_number
from scheduler.dispatch import start_scan
from scheduler.request import request_scan, spec_of
from worker.finish import finish
from worker.guard import record_batch

SYMBOLS = [f"S{number}" for number in range(7)]
BARS = {symbol: series(symbol, 300, seed=at) for at, symbol in enumerate(SYMBOLS)}


def scanned(queue, screens, answers=BARS, size=3, **changes):
    """Return the report of a scan with `screens`, done batch by batch as the workers do."""
    runtime = runtime_on(queue, ScriptedProvider(dict(answers)), batch_size=size)
    runtime.provider.symbols = lambda _universe: SYMBOLS
    scan_id = request_scan(runtime, spec_of(runtime, screens=screens, **changes))
    start_scan(runtime, scan_id)
    for _, (_, number, symbols) in messages(queue, "scan"):
        batch = Batch(scan_id=scan_id, number=number, symbols=tuple(symbols))
        record_batch(lambda: runtime, batch, "scan1@here", lambda _id: None)
    queue.delete("scan")
    return finish(runtime, scan_id) or runtime.reports.load(scan_id)


def outcomes(report, name="where"):
    """Return symbol -> outcome in a screen."""
    return {one.row.symbol: one.row.outcomes[name] for one in report.rows}


def test_the_size_of_the_batches_changes_no_outcome(queue):
    """Ranks run over all rows, however they were scanned."""
    screens = one_screen("where", "rank(close) > 0.5 and close > ago(1, close)")
    found = [outcomes(scanned(queue, screens, size=size)) for size in (1, 3, 7)]
    assert found[0] == found[1] == found[2]
    closes = {symbol: bars.values[3, -1] for symbol, bars in BARS.items()}
    upper = sorted(closes, key=closes.get)[3:]
    rising = {symbol for symbol, bars in BARS.items() if bars.values[3, -1] > bars.values[3, -2]}
    hits = {symbol for symbol, outcome in found[0].items() if outcome == "hit"}
    assert hits == set(upper) & rising


def test_the_shipped_screens_are_decided_in_every_scan(queue):
    """Each has a ledger that sums to the universe."""
    report = scanned(queue, "")
    assert len(report.screens) == 11
    for screen in report.screens.values():
        assert sum(screen.ledger.values()) == len(SYMBOLS)
    assert report.screens["momentum_leaders"].ranked_among == {"rank(momentum(252, 21))": 7}
    assert "roc_252" in report.facts.columns
    assert report.rows[0].row.terms["inside_day"] in {a + b for a in "tf" for b in "tf"}


def test_a_benchmark_is_fetched_once_and_reaches_each_batch(queue):
    """Beside the universe, of which it need not be a part."""
    asked = []

    class Counting(ScriptedProvider):
        def fetch(self, symbol, first, last):
            asked.append(symbol)
            return super().fetch(symbol, first, last)

    answers = BARS | {"SPY": series("SPY", 300, seed=99)}
    runtime_provider = Counting(answers)
    runtime = runtime_on(queue, runtime_provider, batch_size=2)
    runtime.provider.symbols = lambda _universe: SYMBOLS
    screens = one_screen("where", 'rs("SPY", 20) > 0')
    scan_id = request_scan(runtime, spec_of(runtime, screens=screens))
    start_scan(runtime, scan_id)
    for _, (_, number, symbols) in messages(queue, "scan"):
        batch = Batch(scan_id=scan_id, number=number, symbols=tuple(symbols))
        record_batch(lambda: runtime, batch, "scan1@here", lambda _id: None)
    report = finish(runtime, scan_id)
    assert asked.count("SPY") == 1
    assert set(outcomes(report).values()) <= {"hit", 'miss:rs("SPY", 20) > 0'}
    assert report.facts.benchmarks == ("SPY",)
    assert report.symbols == len(SYMBOLS)


def test_without_its_benchmark_a_rule_is_unknown_for_all(queue):
    """With that reason; the rows stay, and so do the other screens."""
    screens = one_screen("where", 'rs("SPY", 20) > 0') + one_screen("other", "close > 0")
    report = scanned(queue, screens, BARS | {"SPY": UnknownSymbol("what?")})
    assert set(outcomes(report).values()) == {"unknown:no_benchmark SPY"}
    assert set(outcomes(report, "other").values()) == {"hit"}
    assert report.ledger == {"scored": 7}


def test_texts_come_from_the_universe_file(queue, tmp_path):
    """A CSV file tells sectors; a symbol without one is unknown, not a miss."""
    path = tmp_path / "mine.csv"
    path.write_text("symbol,name,sector\nS0,Zero,Energy\nS1,One,Utilities\nS2,Two,\n")
    screens = one_screen("where", 'sector == "Energy"') + one_screen(
        "named", "rank_in(sector, close) == 1"
    )
    report = scanned(queue, screens, universe=str(path))
    assert outcomes(report) == {
        "S0": "hit",
        "S1": 'miss:sector == "Energy"',
        "S2": "unknown:no_sector",
    }
    assert outcomes(report, "named") == {"S0": "hit", "S1": "hit", "S2": "unknown:no_sector"}


def test_a_screen_with_a_mistake_costs_no_other_its_hits(queue):
    """It is left out, and the scan is whole."""
    screens = one_screen("bad", "clsoe > 0") + one_screen("good", "close > 0")
    report = scanned(queue, screens)
    assert list(report.screens) == ["all", "good"]
    assert report.state == "done"
    assert report.screens["good"].ledger == {"hit": 7, "absent": 0}


def test_a_text_that_the_universe_lacks_leaves_its_screen_out(queue):
    """A universe that is only a name tells no sectors."""
    report = scanned(queue, one_screen("bad", 'sector == "A"') + one_screen("good", "close > 0"))
    assert list(report.screens) == ["all", "good"]


@pytest.mark.filterwarnings("ignore:Series.values returning an ndarray")
@pytest.mark.parametrize(
    ("day", "hit"), [(dt.date(2025, 7, 2), False), (dt.date(2025, 7, 3), True)]
)
def test_finished_weeks_are_those_of_the_exchange(queue, day, hit):
    """2025-07-03 is a Thursday before a holiday, with which the week of the exchange is over."""
    bars = {symbol: one.between(0, day_number(day)) for symbol, one in BARS.items()}
    report = scanned(queue, one_screen("where", 'tf("1w!", close) == close'), bars, as_of=day)
    assert [outcome == "hit" for outcome in outcomes(report).values()] == [hit] * len(SYMBOLS)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_row_that_is_scanned_alone_again_has_the_same_inputs(queue, seed):
    """A lost message is given out again symbol by symbol."""
    bars = {symbol: series(symbol, 300, seed=seed * 10 + at) for at, symbol in enumerate(SYMBOLS)}
    one, other = (scanned(queue, "", bars, size=size) for size in (7, 1))
    assert [replace(a.row, values=()) for a in one.rows] == [
        replace(b.row, values=()) for b in other.rows
    ]


def test_a_benchmark_that_fails_for_the_moment_stops_the_scan(queue):
    """Half of the rows would else be decided without it."""
    late = BARS | {"SPY": RateLimited("slow", wait=60.0)}
    report = scanned(queue, one_screen("where", 'rs("SPY", 20) > 0'), late)
    assert (report.state, report.facts.message) == ("failed", "slow")


def test_a_worker_with_other_columns_computes_those_of_the_scan(queue):
    """The columns travel with the scan, as its screens do."""
    report = scanned(queue, one_screen("where", "close > 0"))
    other = runtime_on(queue, ScriptedProvider(BARS))
    tools = replace(other.tools, columns=("rsi_3",))
    rules = other.state.rules(report.facts.id)
    assert replace(other, tools=tools).tools_of(rules).row_columns == report.facts.columns
