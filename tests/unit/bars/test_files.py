"""Bars from files: layouts that are read, and messages for those that cannot be."""

from __future__ import annotations

import datetime as dt
import gzip
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from bars_builders import FIRST, LAST, SYMBOLS, long_table, write_table

from scanner.bars import files
from scanner.bars.files import FilesProvider, files_fingerprint
from scanner.errors import BadBars, ConfigError, UnknownSymbol

HEAD = "symbol,date,open,high,low,close,volume\n"
DAY = dt.date(2025, 7, 9)


def provider_of(tmp_path, text, name="bars.csv"):
    """Return a provider of a CSV file with this text."""
    path = tmp_path / name
    path.write_text(text)
    return FilesProvider(path)


def same(one, other):
    """Return whether two series hold exactly the same bars."""
    return np.array_equal(one.sessions, other.sessions) and np.array_equal(one.values, other.values)


@pytest.mark.parametrize("name", ["bars.csv", "bars.parquet", "BARS.CSV"])
def test_a_long_table_gives_each_symbol_its_bars(tmp_path, name):
    """Every value comes back exactly, and names like NA stay symbols."""
    table = long_table()
    path = write_table(table, tmp_path / name)
    provider = FilesProvider(path)
    assert provider.symbols("all") == sorted(SYMBOLS)
    assert provider.last_session() == LAST
    rows = [row for row in table.to_pylist() if row["symbol"] == "NA"]
    series = provider.fetch("NA", FIRST, LAST)
    assert series.values[3].tolist() == [row["close"] for row in rows]
    assert series.values[4].tolist() == [row["volume"] for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        "SYMBOL,Date,Open,High,Low,Close,Volume\nAAA,20250709,1,3,1,2,5\n",
        "volume,close,low,high,open,session,ticker,extra\n5,2,1,3,1,2025-07-09,AAA,x\n",
        "ticker,timestamp,open,high,low,close,volume\nAAA,2025-07-09 16:00:00,1,3,1,2,5\n",
        "ticker,day,open,high,low,close,volume\nAAA,2025-07-09T00:00:00-04:00,1,3,1,2,5\n",
    ],
)
def test_headers_and_dates_are_read_in_several_spellings(tmp_path, text):
    """Names of columns in any case and order, dates in both common forms."""
    series = provider_of(tmp_path, text).fetch("AAA", DAY, DAY)
    assert series.values[:, 0].tolist() == [1.0, 3.0, 1.0, 2.0, 5.0]


@pytest.mark.parametrize(
    "kind",
    [
        pa.date32(),
        pa.date64(),
        pa.timestamp("ns"),
        pa.timestamp("ms", "America/New_York"),
        pa.timestamp("us", "Asia/Tokyo"),
        pa.string(),
        pa.int64(),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)
def test_parquet_dates_are_read_in_every_type(tmp_path, kind):
    """Dates, times with and without a zone, texts and numbers mean the same session."""
    midnight = dt.datetime(2025, 7, 9)  # noqa: DTZ001 - the column's type says the zone
    if pa.types.is_timestamp(kind):
        date = pa.array([midnight], pa.timestamp("us"))
        date = pa.compute.assume_timezone(date, kind.tz) if kind.tz else date
        date = date.cast(kind)
    elif pa.types.is_integer(kind):
        date = pa.array([20250709], kind)
    elif pa.types.is_date(kind):
        date = pa.array([DAY], kind)
    else:
        date = pa.array(["2025-07-09"]).cast(kind)
    prices = {name: [2.0] for name in ("open", "high", "low", "close", "volume")}
    table = pa.table({"symbol": pa.array(["AAA"]).dictionary_encode(), "date": date} | prices)
    provider = FilesProvider(write_table(table, tmp_path / "bars.parquet"))
    assert len(provider.fetch("AAA", DAY, DAY)) == 1


def test_a_folder_is_read_as_one_with_a_file_a_symbol(tmp_path):
    """Files without a symbol column are named by it; other files and folders are left alone."""
    (tmp_path / "BRK.B.csv").write_text("date,open,high,low,close,volume\n20250709,1,1,1,1,1\n")
    packed = gzip.compress(b"date,open,high,low,close,volume\n20250708,1,1,1,1,1\n")
    (tmp_path / "NA.csv.gz").write_bytes(packed)
    write_table(long_table(("AAA", "BBB")), tmp_path / "long.parquet")
    (tmp_path / ".hidden.csv").write_text("nothing")
    (tmp_path / "readme.txt").write_text("nothing")
    (tmp_path / "more.csv").mkdir()
    provider = FilesProvider(tmp_path)
    assert provider.symbols("all") == ["AAA", "BBB", "BRK.B", "NA"]
    assert [len(provider.fetch(s, DAY, DAY)) for s in provider.symbols("all")] == [1, 1, 1, 0]


def test_rows_in_any_order_are_sorted(tmp_path):
    """Symbols may be mixed and sessions may run backwards."""
    shuffled = long_table().take(np.random.default_rng(1).permutation(long_table().num_rows))
    one = FilesProvider(write_table(shuffled, tmp_path / "a.parquet"))
    other = FilesProvider(write_table(long_table(), tmp_path / "b.parquet"))
    assert all(same(one.fetch(s, FIRST, LAST), other.fetch(s, FIRST, LAST)) for s in SYMBOLS)


@pytest.mark.parametrize(
    "bad",
    [
        "BAD,20250709,1,1,1,,1\n",
        "BAD,20250709,nan,1,1,1,1\n",
        "BAD,20250709,1,1,-1,1,1\n",
        "BAD,20250709,1,1,1,1,-1\n",
        "BAD,20250709,1,1,2,1,1\n",
        "BAD,20250709,1,1,1,1,1\nBAD,20250709,1,1,1,1,1\n",
    ],
)
def test_bad_rows_cost_their_own_symbol_only(tmp_path, bad):
    """Another symbol of the file keeps its bars, and so do the symbol's other sessions."""
    good = "AAA,20250709,1,1,1,1,1\nBAD,20250708,1,1,1,1,1\n"
    provider = provider_of(tmp_path, HEAD + good + bad)
    assert len(provider.fetch("AAA", DAY, DAY)) == 1
    with pytest.raises(BadBars, match=r"BAD.*2025-07-09"):
        provider.fetch("BAD", DAY, DAY)
    assert len(provider.fetch("BAD", dt.date(2025, 7, 8), dt.date(2025, 7, 8))) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty file"),
        (HEAD, "got no row"),
        ("symbol,date,open,high,low,price\nA,20250709,1,1,1,1\n", "close, volume, found symbol"),
        ("symbol,open,high,low,close,volume\nA,1,1,1,1,1\n", "date/session/timestamp/day"),
        (HEAD + "A,20250709,1,1,1,1,1\n,20250709,1,1,1,1,1\n", "symbol in every row.*row 2"),
        (HEAD + "A,2025-13-09,1,1,1,1,1\n", r"YYYY-MM-DD or YYYYMMDD, got '2025-13-09' in row 1"),
        (HEAD + "A,,1,1,1,1,1\n", "got '' in row 1"),
        (HEAD + "A,20250709,1,1,1,one,1\n", "readable file of bars.*one"),
        (HEAD + "A,20250709,1,1\n", "readable file of bars"),
    ],
)
def test_a_csv_that_cannot_be_read_says_why(tmp_path, text, words):
    """Path, expectation and what was found are in the message."""
    with pytest.raises(ConfigError, match=words) as caught:
        provider_of(tmp_path, text).symbols("all")
    assert str(tmp_path) in str(caught.value)


def test_a_cut_parquet_file_says_so(tmp_path):
    """Half a file and a text with the wrong name are both unreadable."""
    path = write_table(long_table(), tmp_path / "bars.parquet")
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ConfigError, match="readable file of bars"):
        FilesProvider(path).last_session()


@pytest.mark.parametrize("column", ["symbol", "date"])
def test_a_parquet_row_without_symbol_or_date_is_named(tmp_path, column):
    """The first such row is in the message."""
    rows = long_table().to_pylist()
    rows[3][column] = None
    path = write_table(pa.Table.from_pylist(rows), tmp_path / "bars.parquet")
    with pytest.raises(ConfigError, match=rf"a {column} in every row, got none in row 4"):
        FilesProvider(path).symbols("all")


@pytest.mark.parametrize(
    ("name", "words"),
    [("none.csv", "nothing there"), ("bars.xlsx", "expected a file of bars"), ("", "got none")],
)
def test_a_path_without_bars_says_what_is_there(tmp_path, name, words):
    """Missing paths, other kinds of files and empty folders are told apart."""
    (tmp_path / "bars.xlsx").write_text("x")
    with pytest.raises(ConfigError, match=words):
        FilesProvider(tmp_path / name).symbols("all")


def test_an_unknown_symbol_is_named(tmp_path):
    """Files know all their symbols."""
    provider = provider_of(tmp_path, HEAD + "A,20250709,1,1,1,1,1\n")
    with pytest.raises(UnknownSymbol, match="a: expected bars"):
        provider.fetch("a", DAY, DAY)


def test_only_the_universe_of_all_has_a_name(tmp_path):
    """A file says nothing about types or indices."""
    with pytest.raises(ConfigError, match="'common'"):
        provider_of(tmp_path, HEAD).symbols("common")


def test_files_are_read_once_whatever_the_threads(tmp_path, monkeypatch):
    """Threads that come at the same time wait for the first one's data."""
    path = write_table(long_table(), tmp_path / "bars.csv")
    reads = []
    real = files.read_rows
    monkeypatch.setattr(files, "read_rows", lambda one: reads.append(one) or real(one))
    provider = FilesProvider(path)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: len(provider.fetch("AAA", FIRST, LAST)), range(32)))
    assert len(set(found)) == 1
    assert reads == [path]


def test_the_fingerprint_follows_the_files(tmp_path):
    """It stays while nothing changes, and changes with the content of any file."""
    path = write_table(long_table(), tmp_path / "bars.csv")
    before = files_fingerprint(path)
    assert files_fingerprint(path) == files_fingerprint(str(path)) == before
    path.write_text(path.read_text() + "\n")
    assert files_fingerprint(path) != before
    assert files_fingerprint(tmp_path) == files_fingerprint(path)
