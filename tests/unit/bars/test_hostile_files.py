"""Files of bars that would fill the memory or never end: each is refused, in words."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import socket
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from scanner.bars import file_tables, files
from scanner.bars.files import FilesProvider, files_fingerprint
from scanner.errors import BadBars, ConfigError, InvalidSymbol
from scanner.spec import split_symbols

HEAD = b"symbol,date,open,high,low,close,volume\n"
DAY = dt.date(2025, 7, 9)
FIELDS = ("open", "high", "low", "close", "volume")

#: Reads each file that it is given, in a process that may not grow, and prints what was said.
READ_ALL = """
import json, resource, sys
from scanner.bars.files import FilesProvider
from scanner.errors import ConfigError
resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000,) * 2)
said = {}
for path in sys.argv[1:]:
    try:
        said[path.rpartition("/")[2]] = str(FilesProvider(path).last_session())
    except ConfigError as error:
        said[path.rpartition("/")[2]] = str(error)
state = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps([said, int(state["VmHWM"].split()[0]) / 1024]))
"""

#: Most memory in MB that reading any file may take.
MOST_MEMORY = 1_500


def table(rows=1, **columns):
    """Return bars of one symbol with other columns in place of its own."""
    made = {
        "symbol": pa.array(["AAA"] * rows),
        "date": pa.array([DAY] * rows, pa.date32()),
        **{name: pa.array(np.ones(rows)) for name in FIELDS},
    }
    return pa.table(made | columns)


def written(path, content):
    """Write a table or bytes and return the path."""
    if isinstance(content, pa.Table):
        pq.write_table(content, path, compression="zstd")
    else:
        path.write_bytes(content)
    return path


def refusal(path):
    """Return the message with which a file is refused."""
    with pytest.raises(ConfigError) as caught:
        FilesProvider(path).last_session()
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def bombs(tmp_path_factory):
    """Return small files that unpack to many GB, and what is said of each."""
    folder = tmp_path_factory.mktemp("bombs")
    symbol = pa.array(["AAA"]).dictionary_encode().take(pa.array(np.zeros(3_000_000, np.int32)))
    many = table(3_000_000, symbol=symbol)
    with pq.ParquetWriter(folder / "rows.parquet", many.schema, compression="zstd") as writer:
        for _ in range(7):
            writer.write_table(many)
    texts = [f"{n:06}" + "A" * 1_000_000 for n in range(100)]
    for name, packed in (("texts.parquet", False), ("different.parquet", True)):
        long = table(len(texts), symbol=pa.array(texts))
        pq.write_table(long, folder / name, compression="zstd", use_dictionary=packed)
    same = pa.array(["A" * 1_000_000]).dictionary_encode().take(pa.array([0] * 100_000))
    # Without a word on how it was in memory.
    pq.write_table(table(100_000, symbol=same), folder / "same.parquet", store_schema=False)
    # What is packed one after the other unpacks to one file.
    rows = gzip.compress(b"AAA,20250709,1,1,1,1,1\n" * 500_000, 1)
    written(folder / "rows.csv.gz", gzip.compress(HEAD) + rows * 50)
    line = gzip.compress(b"A" * 10_000_000, 1)
    written(folder / "line.csv.gz", gzip.compress(HEAD) + line * 500)
    cell = gzip.compress(b"A" * 900_000 + b",20250709,1,1,1,1,1\n", 1)
    written(folder / "texts.csv.gz", gzip.compress(HEAD) + cell * 3_000)
    with written(folder / "sparse.csv", HEAD).open("ab") as file:
        file.truncate(10_000_000_000)
    with (folder / "sparse.parquet").open("wb") as file:
        file.truncate(10_000_000_000)
    return folder


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_unpacks_to_many_gb_is_refused_in_little_memory(bombs):
    """In one process, which neither dies nor grows; a text that repeats is kept once."""
    paths = sorted(str(path) for path in bombs.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, *paths],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    said, memory = json.loads(done.stdout)
    assert said.pop("same.parquet") == str(DAY)
    words = {
        "rows.parquet": "at most 20,000,000 rows",
        "rows.csv.gz": "at most 20,000,000 rows",
        "texts.parquet": "expected symbols, dates and numbers",
        "different.parquet": "expected symbols, dates and numbers",
        "texts.csv.gz": "expected symbols, dates and numbers",
        "line.csv.gz": "readable file of bars",
        "sparse.csv": "readable file of bars",
        "sparse.parquet": "readable file of bars",
    }
    assert {name: words[name] in text for name, text in said.items()} == dict.fromkeys(words, True)
    assert memory < MOST_MEMORY


def test_the_rows_of_a_folder_are_counted_together(tmp_path, monkeypatch):
    """A bomb may be cut into many files."""
    monkeypatch.setattr(file_tables, "MAX_ROWS", 5)
    for name in ("A.parquet", "B.parquet"):
        written(tmp_path / name, table(3))
    assert FilesProvider(tmp_path / "A.parquet").last_session() == DAY
    assert "at most 5 rows" in refusal(tmp_path)


def test_a_folder_of_too_many_files_is_refused_before_they_are_read(tmp_path, monkeypatch):
    """The limit itself is allowed."""
    monkeypatch.setattr(file_tables, "MAX_FILES", 2)
    monkeypatch.setattr(files, "read_rows", pytest.fail)
    for name in ("A.csv", "B.csv"):
        (tmp_path / name).touch()
    assert files_fingerprint(tmp_path)
    (tmp_path / "C.csv").touch()
    assert "at most 2 files of bars" in refusal(tmp_path)


WRONG = {
    "no parquet": b"symbol,date\n",
    "binary": bytes(range(256)) * 40,
    "cut": b"PAR1" + b"\xff" * 400 + b"PAR1",
    "no rows": table(0),
    "no column": pa.table({"symbol": ["AAA"], "date": ["2025-07-09"]}),
    "nested": table(close=pa.array([{"price": 1.0}])),
    "list": table(close=pa.array([[1.0, 2.0]])),
    "nested symbol": table(symbol=pa.array([["AAA"]])),
    "text for a number": table(close=pa.array(["one"])),
    "time for a number": table(close=pa.array([dt.timedelta(1)])),
    "number for a date": table(date=pa.array([1.5])),
    "a day that is none": table(date=pa.array(["2025-02-30"])),
    "a day of no year": table(date=pa.array([2**30], pa.int32()).cast(pa.date32())),
    "a time of no year": table(date=pa.array([2**62], pa.timestamp("us"))),
    "twice": pa.Table.from_arrays(
        [*table().columns, table()["close"]], [*table().column_names, "close"]
    ),
    "no text": table(
        symbol=pa.StringArray.from_buffers(
            1, pa.py_buffer(np.array([0, 2], np.int32)), pa.py_buffer(b"\xff\xfe")
        )
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_parquet_file_of_another_form_is_refused_in_words(tmp_path, kind):
    """Nothing but the scanner's own error, which names the file and fits a screen."""
    assert len(refusal(written(tmp_path / "bars.parquet", WRONG[kind]))) < 700


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 5_000,
        b"\xff\xfe" + "symbol,date".encode("utf-16-le"),
        HEAD + b"\xff,20250709,1,1,1,1,1\n",
        b"symbol,date,open,high,low,close,close,volume\nA,20250709,1,1,1,1,1,1\n",
        b",".join([b"x"] * 100_000) + b"\n",
        HEAD + b"AAA,99990709123,1,1,1,1,1\n",
    ],
    ids=["NUL", "UTF-16", "no UTF-8", "twice", "wide", "long date"],
)
def test_a_csv_file_of_another_form_is_refused_in_words(tmp_path, content):
    """The same for texts."""
    assert len(refusal(written(tmp_path / "bars.csv", content))) < 1_200


def test_an_encrypted_file_is_refused_in_words(tmp_path):
    """Nobody has given a key."""

    class Kms(pe.KmsClient):
        def wrap_key(self, key, _name):
            return key

        def unwrap_key(self, key, _name):
            return key

    factory = pe.CryptoFactory(lambda _: Kms())
    keys = pe.EncryptionConfiguration(footer_key="k", column_keys={"c": ["close"]})
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), keys)
    path = tmp_path / "bars.parquet"
    with pq.ParquetWriter(path, table().schema, encryption_properties=properties) as writer:
        writer.write_table(table())
    assert "readable file of bars" in refusal(path)


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "-1", "1e999", "0"])
def test_a_number_that_no_price_has_costs_its_own_symbol_only(tmp_path, value):
    """The file is read, and another symbol has its bars."""
    rows = f"BAD,20250709,1,{value},1,1,1\nAAA,20250709,1,1,1,1,1\n".encode()
    provider = FilesProvider(written(tmp_path / "bars.csv", HEAD + rows))
    assert len(provider.fetch("AAA", DAY, DAY)) == 1
    with pytest.raises(BadBars, match="BAD"):
        provider.fetch("BAD", DAY, DAY)


def test_texts_that_are_no_symbols_cost_themselves_only(tmp_path):
    """They are told apart before they reach a key; the others keep their bars."""
    hostile = ["../A", "A:records", "\x1b[2J", "\u202eAAA", "=1+1", "\uff21\uff21", "A" * 500_000]
    rows = table(len(hostile) + 1, symbol=pa.array(["AAA", *hostile]))
    provider = FilesProvider(written(tmp_path / "bars.parquet", rows))
    good, bad = split_symbols(provider.symbols("all"))
    assert good == ["AAA"]
    assert set(bad) == set(hostile)
    assert all(type(error) is InvalidSymbol for error in bad.values())
    assert all(str(error).isprintable() and len(str(error)) < 200 for error in bad.values())
    assert len(provider.fetch("AAA", DAY, DAY)) == 1


class TestWhatIsNoFile:
    """Paths behind which there is no file, or not the one that it seems."""

    def test_pipes_devices_and_sockets_are_not_opened(self, tmp_path):
        """Each would wait for ever, or never end."""
        os.mkfifo(tmp_path / "pipe.csv")
        assert "a pipe, a device or a socket" in refusal(tmp_path / "pipe.csv")
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(tmp_path / "s.csv"))
            assert "a pipe, a device or a socket" in refusal(tmp_path / "s.csv")
            written(tmp_path / "AAA.csv", HEAD + b"AAA,20250709,1,1,1,1,1\n")
            assert FilesProvider(tmp_path).symbols("all") == ["AAA"]
        assert "a pipe, a device or a socket" in refusal("/dev/zero")

    def test_links_that_go_round_are_nothing(self, tmp_path):
        """As a path of its own, and in a folder."""
        (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
        assert "nothing there" in refusal(tmp_path / "loop.csv")
        assert "got none" in refusal(tmp_path)

    def test_links_that_lead_out_of_a_folder_are_refused(self, tmp_path):
        """What a message shows of a file could be of any; links inside the folder are followed."""
        folder = tmp_path / "bars"
        folder.mkdir()
        written(folder / "AAA.csv", HEAD + b"AAA,20250709,1,1,1,1,1\n")
        (folder / "alias.csv").symlink_to("AAA.csv")
        (tmp_path / "link").symlink_to(folder)
        assert len(file_tables.bar_files(tmp_path / "link")) == 2
        (folder / "out.csv").symlink_to("/etc/passwd")
        for path in (folder, tmp_path / "link"):
            with pytest.raises(ConfigError, match=r"out\.csv: .* a link that leads out"):
                FilesProvider(path).last_session()

    def test_a_name_that_is_too_long_is_refused(self, tmp_path):
        """By the scanner, not by a traceback."""
        assert "expected files of bars" in refusal(tmp_path / ("x" * 5_000 + ".csv"))
