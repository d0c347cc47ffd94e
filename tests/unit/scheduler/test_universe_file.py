"""Files of symbols, as people and spreadsheets write them."""

from __future__ import annotations

import codecs

import pytest

from scanner.errors import ConfigError
from scheduler import universe
from scheduler.universe import read_symbols, read_texts

FORMS = {
    "one a line": b"AAPL\nMSFT\n",
    "no end of line": b"AAPL\nMSFT",
    "windows": b"AAPL\r\nMSFT\r\n",
    "byte order mark": codecs.BOM_UTF8 + b"AAPL\nMSFT\n",
    "comments": b"# mine\nAAPL # the fruit\n\n  # none\nMSFT\n",
    "spaces": b"  AAPL  \n\tMSFT\n   \n",
    "header": b"Symbol\nAAPL\nMSFT\n",
    "csv": b"ticker,name,price\nAAPL,Apple,1\nMSFT,Microsoft,2\n",
    "csv with a mark": codecs.BOM_UTF8 + b"SYMBOL,name\nAAPL,Apple\nMSFT,M\n",
    "quoted csv": b'"symbol","name"\n"AAPL","Apple, Inc."\n"MSFT","Microsoft"\n',
    "repeats": b"AAPL\nMSFT\nAAPL\n",
}


@pytest.fixture
def file_of(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(data):
        path = tmp_path / "symbols.txt"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("form", FORMS)
def test_symbols_are_read_in_order_without_repeats(file_of, form):
    """Whatever wrote the file."""
    assert read_symbols(file_of(FORMS[form])) == ["AAPL", "MSFT"]


def test_a_symbol_called_like_a_header_counts_below_the_first_line(file_of):
    """Only a first line is a header."""
    assert read_symbols(file_of(b"AAPL\nSYMBOL\n")) == ["AAPL", "SYMBOL"]


def test_symbols_are_not_changed(file_of):
    """Case matters, and so do names that look like something else."""
    assert read_symbols(file_of(b"KIMpL\nNA\nTRUE\nBRK.B\n")) == ["KIMpL", "NA", "TRUE", "BRK.B"]


def test_what_is_no_symbol_is_kept_for_the_ledger(file_of):
    """The scan says so of each, instead of dropping it here."""
    assert read_symbols(file_of(b"AAPL\nBRK/B\n")) == ["AAPL", "BRK/B"]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"# nothing\n", b"symbol\n", codecs.BOM_UTF8])
def test_a_file_without_symbols_is_refused(file_of, data):
    """A scan of nothing is a mistake."""
    path = file_of(data)
    with pytest.raises(ConfigError, match="lists no symbol") as caught:
        read_symbols(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_missing_is_refused_by_its_path(tmp_path):
    """With the setting that names it."""
    with pytest.raises(ConfigError, match=r"SCANNER_UNIVERSE: cannot read .*nobody"):
        read_symbols(tmp_path / "nobody.txt")


def test_a_folder_is_refused(tmp_path):
    """It cannot be read as a file."""
    with pytest.raises(ConfigError, match="cannot read"):
        read_symbols(tmp_path)


@pytest.mark.parametrize("data", [b"\xff\xfeA\0A\0", b"\x80\x81", b"PAR1\x15\x04\xf3"])
def test_a_file_that_is_no_text_is_refused(file_of, data):
    """A parquet file, or UTF-16 from a spreadsheet."""
    with pytest.raises(ConfigError, match="cannot read"):
        read_symbols(file_of(data))


def test_a_file_with_too_many_symbols_is_refused(file_of, monkeypatch):
    """The limit itself is allowed."""
    monkeypatch.setattr(universe, "MAX_SYMBOLS", 2)
    assert read_symbols(file_of(b"A\nB\n")) == ["A", "B"]
    with pytest.raises(ConfigError, match="over 2"):
        read_symbols(file_of(b"A\nB\nC\n"))


def test_a_csv_file_tells_texts(file_of):
    """Only those that rules may ask for; what is empty is not told."""
    data = b'symbol,sector,price,name\nAAPL,Tech,1,"Apple, Inc."\nMSFT,,2,Microsoft\n'
    assert read_texts(file_of(data)) == {
        "name": {"AAPL": "Apple, Inc.", "MSFT": "Microsoft"},
        "sector": {"AAPL": "Tech"},
    }


@pytest.mark.parametrize("data", [b"AAPL\nMSFT\n", b"", b"name,sector\nApple,Tech\n"])
def test_a_list_without_a_head_tells_nothing(file_of, data):
    """Then rules that ask for texts are refused."""
    assert read_texts(file_of(data)) == {}


def test_a_bad_line_costs_no_other_its_texts(file_of):
    """A quote that is never closed, missing cells, and a text without an end."""
    data = b'# mine\nTicker,sector\nAAPL,"Tech\nMSFT,Tech\nIBM\nKO,' + b"x" * 9000 + b"\n"
    assert read_texts(file_of(data)) == {"sector": {"MSFT": "Tech", "KO": "x" * 100}}
