"""Exports: CSV, JSON and parquet hold the same values, and a spreadsheet runs none of them."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io

import orjson
import pyarrow.parquet as pq
import pytest
from scan_builders import AS_OF, COLUMNS, absence, report, row, young_report

from scanner.errors import ConfigError
from scanner.pipeline import BAR_COLUMNS
from scanner.results.export import export_report

#: Names that readers take for missing values, truth values, numbers or dates.
TRICKY = ["NA", "TRUE", "NULL", "NAN", "KIMpL", "BRK.B", "AACT-WS", "1E5", "MAR1"]
POINTS = [f"points_{name}" for name in ("momentum", "trend", "relative_volume", "high")]
NAMES = ["rank", "symbol", "score", "session", "bars", "simulated", "warming", "flags"]
NAMES += [*POINTS, *BAR_COLUMNS, *COLUMNS]


@pytest.fixture
def scan():
    """Return a report of tricky symbols with a gap, an exact float and a tiny number."""
    values = {"sma_5": None, "close": 0.1 + 0.2, "volume": 1e15 / 4, "return_1": 5e-324}
    return report([row(symbol, values) for symbol in TRICKY], [absence("GONE")])


def rows_of_csv(data):
    """Return the rows of a CSV as its cells say, by the types of the columns."""
    kinds = {
        "rank": int,
        "bars": int,
        "symbol": str,
        "warming": str,
        "flags": str,
        "session": dt.date.fromisoformat,
    }
    kinds["simulated"] = {"true": True, "false": False}.__getitem__
    return [
        {n: None if cell == "" else kinds.get(n, float)(cell) for n, cell in one.items()}
        for one in csv.DictReader(io.StringIO(data.decode()))
    ]


def rows_of_json(data):
    """Return the rows of a JSON file, sessions as dates."""
    return [one | {"session": dt.date.fromisoformat(one["session"])} for one in orjson.loads(data)]


def rows_of_parquet(data):
    """Return the rows of a parquet file."""
    return pq.read_table(io.BytesIO(data)).to_pylist()


READERS = {"csv": rows_of_csv, "json": rows_of_json, "parquet": rows_of_parquet}


@pytest.mark.parametrize("kind", READERS)
def test_a_file_holds_every_row_with_every_value(scan, kind):
    """Best first, bit by bit, with gaps as gaps, and no absence among the rows."""
    got = READERS[kind](export_report(scan, kind))
    assert [list(one) for one in got] == [NAMES] * len(TRICKY)
    for one, ranked in zip(got, scan.rows, strict=True):
        assert (one["rank"], one["symbol"], one["score"]) == (
            ranked.rank,
            ranked.row.symbol,
            ranked.score,
        )
        assert (one["session"], one["bars"], one["simulated"]) == (AS_OF, 300, False)
        assert tuple(one[name] for name in scan.facts.columns) == ranked.row.values


@pytest.mark.parametrize("kind", READERS)
def test_a_simulated_scan_says_so_in_each_row(kind):
    """A file travels without its report."""
    data = export_report(report([row("A")], source="simulator-1"), kind)
    assert [one["simulated"] for one in READERS[kind](data)] == [True]


@pytest.mark.parametrize("kind", READERS)
def test_a_row_names_the_columns_that_more_history_would_change(kind):
    """By spaces, and none for a symbol of enough bars."""
    rows = READERS[kind](export_report(young_report(), kind))
    assert [one["warming"] or "" for one in rows] == ["", "rsi_14"]


@pytest.mark.parametrize("kind", READERS)
def test_a_row_without_a_score_has_a_gap(kind):
    """Empty, null and null."""
    one = report([row("A")])
    object.__setattr__(one.rows[0], "score", None)
    assert READERS[kind](export_report(one, kind))[0]["score"] is None


@pytest.mark.parametrize("kind", READERS)
def test_a_report_without_rows_is_a_file_without_rows(kind):
    """But one that can be read."""
    assert READERS[kind](export_report(report(), kind)) == []


def test_an_empty_csv_and_parquet_still_name_their_columns():
    """A program that reads them every day does not break on a day without rows."""
    assert export_report(report(), "csv").decode().strip().replace('"', "").split(",") == NAMES
    schema = pq.read_schema(io.BytesIO(export_report(report(), "parquet")))
    assert schema.names == NAMES
    assert str(schema.field("sma_5").type) == "double"


@pytest.mark.parametrize("symbol", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_that_would_be_a_formula_is_text_in_csv(symbol):
    """Behind a quote; JSON and parquet keep the symbol, they run nothing."""
    one = report([row(symbol)])
    assert rows_of_csv(export_report(one, "csv"))[0]["symbol"] == f"'{symbol}"
    assert rows_of_json(export_report(one, "json"))[0]["symbol"] == symbol
    assert rows_of_parquet(export_report(one, "parquet"))[0]["symbol"] == symbol


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_every_column_of_texts_is_guarded_and_numbers_stay_numbers(begin):
    """Flags come from the bars' side, names of columns from the settings'."""
    one = row("A", {"close": -1.5, "return_1": -0.25})
    flagged = report([dataclasses.replace(one, flags={f"{begin}gap": 2})])
    cells = rows_of_csv(export_report(flagged, "csv"))[0]
    assert cells["flags"] == f"'{begin}gap=2"
    assert (cells["close"], cells["return_1"]) == (-1.5, -0.25)
    assert b"'-" not in export_report(report([one]), "csv")


@pytest.mark.parametrize("kind", ["", "xlsx", "CSV"])
def test_another_kind_is_refused_with_those_that_exist(scan, kind):
    """A mistake of the user."""
    with pytest.raises(ConfigError, match="expected csv, json or parquet"):
        export_report(scan, kind)
