"""Tables: order, missing values, and numbers as people read them."""

from __future__ import annotations

import dataclasses
import datetime as dt

import orjson
import pytest
from scan_builders import absence, report, row, young_report

from scanner.errors import ConfigError
from scanner.results.report import ScreenResult
from views.tables import (
    age_of,
    compact,
    ledger_line,
    screen_line,
    summary_of,
    table_of,
    values_of,
)

SHOWN = ("close", "return_1")


@pytest.fixture
def scan():
    """Return a report of four rows, one of which has no return."""
    values = {"A": (3.0, 0.1), "B": (1.0, None), "C": (2.0, -0.2), "D": (2.0, 0.0)}
    rows = [row(s, {"close": c, "return_1": r}) for s, (c, r) in values.items()]
    return report(rows, [absence("E"), absence("F", "no_data:no_bars")], source="simulator-1")


def symbols(scan, **options):
    """Return the symbols of a table in their order."""
    return "".join(one[1] for one in table_of(scan, columns=SHOWN, **options).rows)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("rank", "ABCD"),
        ("-rank", "DCBA"),
        ("symbol", "ABCD"),
        ("-symbol", "DCBA"),
        ("close", "BCDA"),
        ("-close", "ACDB"),
        ("return_1", "CDAB"),
        ("-return_1", "ADCB"),
        ("-score", "ABCD"),
    ],
)
def test_rows_are_sorted_up_or_down_with_missing_values_last(scan, sort, expected):
    """Equal values keep the order of their ranks."""
    assert symbols(scan, sort=sort) == expected


@pytest.mark.parametrize(("top", "expected"), [(None, "ABCD"), (2, "AB"), (0, ""), (99, "ABCD")])
def test_the_first_rows_of_the_order_are_shown(scan, top, expected):
    """Cut after sorting."""
    assert symbols(scan, top=top) == expected
    assert symbols(scan, top=1, sort="close") == "B"


def test_a_table_begins_with_rank_symbol_and_score(scan):
    """Each once, then the columns in their order."""
    table = table_of(scan, columns=("return_1", "symbol", "session", "close"))
    assert table.columns == ("rank", "symbol", "score", "return_1", "session", "close")
    assert table.rows[0] == (1, "A", 100.0, 0.1, "2025-07-09", 3.0)


@pytest.mark.parametrize("options", [{"columns": ["luck"]}, {"sort": "luck"}, {"sort": "--rank"}])
def test_a_column_that_does_not_exist_is_refused(scan, options):
    """With the command that lists those that do."""
    with pytest.raises(ConfigError, match="scan indicators"):
        table_of(scan, **{"columns": SHOWN} | options)


def test_a_row_holds_all_its_values_by_name(scan):
    """What JSON shows of it."""
    values = values_of(scan, scan.rows[1])
    assert (values["rank"], values["symbol"], values["bars"]) == (2, "B", 300)
    assert values["return_1"] is None
    assert set(scan.facts.columns) < set(values)


def test_a_row_says_which_values_more_history_would_change():
    """As a list in JSON, and by column in a table."""
    scan = young_report()
    assert [values_of(scan, one)["warming"] for one in scan.rows] == [[], ["rsi_14"]]
    table = table_of(scan, columns=("close", "rsi_14"))
    assert [table.warming_in(one) for one in table.rows] == [(), ("rsi_14",)]
    assert compact(["rsi_14", "ema_50"]) == "rsi_14 ema_50"
    assert compact(-100.0, "cdl_doji") == "-100"


def test_a_summary_is_plain_and_has_no_rows(scan):
    """It goes out as JSON, and says that the market is simulated."""
    summary = orjson.loads(orjson.dumps(summary_of(scan)))
    assert (summary["symbols"], summary["simulated"], summary["state"]) == (6, True, "done")
    assert summary["hits"] == {"all": ["A", "B", "C", "D"]}
    assert summary["as_of"] == "2025-07-09"
    assert "rows" not in summary


def test_the_ledger_in_a_line_adds_up(scan):
    """States without symbols are left out."""
    assert ledger_line(scan) == "4 scored + 1 stale + 1 no_data:no_bars = 6 symbols"
    assert ledger_line(report()) == "0 = 0 symbols"


@pytest.mark.parametrize(
    ("days", "age"), [(0, "today"), (1, "1 day old"), (2, "2 days old"), (400, "400 days old")]
)
def test_the_age_of_the_data_is_told_in_days(scan, days, age):
    """With its session."""
    now = dt.datetime(2025, 7, 9, 12, tzinfo=dt.UTC) + dt.timedelta(days=days)
    assert age_of(scan, now) == f"as of 2025-07-09 ({age})"


@pytest.mark.parametrize(
    ("value", "column", "expected"),
    [
        (None, "close", "—"),
        (12, "rank", "12"),
        ("BRK.B", "symbol", "BRK.B"),
        (1.23e6, "volume", "1.23M"),
        (-2.5e9, "obv", "-2.50B"),
        (3e12, "dollar_volume_20", "3.00T"),
        (1234.5, "close", "1,234.50"),
        (0.1234567, "close", "0.1235"),
        (0.0, "close", "0.0000"),
        (-0.5, "macd_12_26", "-0.5000"),
        (0.045, "return_1", "+4.5%"),
        (-0.1, "momentum_252_21", "-10.0%"),
        (0.0, "distance_high_252", "+0.0%"),
        (12.0, "return_21", "+1200.0%"),
    ],
)
def test_a_value_is_shown_compact(value, column, expected):
    """Large ones by their unit, returns as percent with a sign."""
    assert compact(value, column) == expected


def test_the_hits_of_a_screen_are_shown_alone_and_in_its_order():
    """Of those there are more than are shown; a screen that was not asked is named."""
    found = report([row("A"), row("B"), row("C")])
    hits = ScreenResult(hits=("C", "A", "B"), ledger={"hit": 3}, limit=2, terms=("close > 1",))
    found = dataclasses.replace(found, screens=found.screens | {"mine": hits})
    table = table_of(found, columns=[], screen="mine", top=1)
    assert [line[1] for line in table.rows] == ["C"]
    assert (table.of, table.option) == (2, " --screen mine")
    assert screen_line(found, "mine") == "screen mine: 3 hits: C A"
    with pytest.raises(ConfigError, match="no screen 'other' in this scan: it had all, mine"):
        table_of(found, screen="other")
