"""Text files that the user names: only plain ones of a bounded size are read."""

from __future__ import annotations

import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from scanner.bootstrap import screens_text
from scanner.errors import ConfigError
from scanner.given_file import read_given
from scanner.rules.screens import MAX_FILE, read_screens
from scanner.settings import load_settings
from scheduler.sessions import read_overrides
from scheduler.universe import read_symbols


def screens(path):
    """Read a file of screens as a scan does."""
    return read_screens(screens_text(load_settings(screens=path)))


#: What reads a file that a setting names -> the setting.
READERS = {
    screens: "SCANNER_SCREENS",
    read_symbols: "SCANNER_UNIVERSE",
    read_overrides: "SCANNER_CLOSURES",
}


def loop(path):
    """Make a link to itself."""
    path.symlink_to(path)


def sparse(path):
    """Make a file of one line of a GB that takes no room."""
    with path.open("wb") as file:
        file.truncate(1_000_000_000)


def bound(path):
    """Make a socket."""
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


MAKERS = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": Path.mkdir,
    "loop": loop,
    "socket": bound,
    "huge": sparse,
    "binary": lambda path: path.write_bytes(b"\x80\x81\xff" * 99),
    "UTF-16": lambda path: path.write_text("AAA\n" * 9, encoding="utf-16"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("reader", READERS, ids=READERS.values())
def test_what_is_no_text_file_of_a_bounded_size_is_refused_at_once(tmp_path, reader, kind):
    """The message names the setting and the path."""
    path = tmp_path / "given"
    MAKERS[kind](path)
    with pytest.raises(ConfigError, match=f"{READERS[reader]}: cannot read .*given: "):
        reader(path)


@pytest.mark.parametrize("reader", READERS, ids=READERS.values())
@pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "a/" + "x" * 5_000, "a/\0"])
def test_a_path_that_names_nothing_is_refused(reader, path):
    """By the scanner's own error."""
    with pytest.raises(ConfigError):
        reader(Path(path))


@pytest.mark.parametrize("name", ["home", "data", "screens", "closures", "universe"])
def test_settings_of_unknown_users_are_refused(name):
    """Before anything reads them."""
    with pytest.raises(ConfigError, match=f"SCANNER_{name.upper()}: expected a "):
        load_settings(**{name: "~nobody-of-this-name/x"})


def test_a_universe_that_cannot_be_a_path_is_refused():
    """It is longer than any name of a file."""
    with pytest.raises(ConfigError, match="SCANNER_UNIVERSE: expected a name or a path"):
        load_settings(universe="x" * 5_000)
    with pytest.raises(ConfigError, match=r"SCANNER_UNIVERSE: .*surrogates not allowed"):
        load_settings(universe="/tmp/\udcff")  # noqa: S108 - nothing is written


def test_the_limit_itself_is_read(tmp_path):
    """And nothing beyond it."""
    path = tmp_path / "given"
    path.write_text("abc")
    assert read_given(path, "SCANNER_X", 3) == "abc"
    path.write_text("abcd")
    with pytest.raises(ConfigError, match="at most 3 bytes, got 4"):
        read_given(path, "SCANNER_X", 3)


def test_of_a_huge_file_no_more_is_read_than_is_wanted(tmp_path):
    """It might not fit into memory."""
    sparse(tmp_path / "given")
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError, match="at most 99 bytes, got 1,000,000,000"):
            read_given(tmp_path / "given", "SCANNER_X", 99)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_a_mark_at_the_beginning_is_left_out(tmp_path):
    """Editors of Windows write it."""
    (tmp_path / "given").write_bytes(b"\xef\xbb\xbf[a]\n")
    assert read_given(tmp_path / "given", "SCANNER_X", 99) == "[a]\n"


def test_a_million_lines_are_too_many_symbols(tmp_path):
    """The message says how many are allowed; as many repeats are one symbol."""
    path = tmp_path / "given"
    path.write_text("".join(f"S{n}\n" for n in range(1_000_000)))
    with pytest.raises(ConfigError, match="over 200000 symbols"):
        read_symbols(path)
    path.write_text("AAA\n" * 1_000_000)
    assert read_symbols(path) == ["AAA"]


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 2_000 + "\n" + "[" * 2_000,
        "\n".join("a = " + "{a=" * 600 for _ in range(70)),
        "[a]\n[a]\n",
        "a = 1\na = 2\n",
        "\n".join(f"[a{n}]" for n in range(100_000)),
        "".join(f"[s{n}]\n" for n in range(101)),
        "a." * 90_000 + "a = 1",
        "\0\x01",
        "x" * (MAX_FILE + 1),
    ],
    ids=["lists", "tables", "twice", "keys twice", "100,000", "101", "dotted", "NUL", "long"],
)
@pytest.mark.timeout(20)
def test_toml_that_is_deep_or_long_is_refused_soon(tmp_path, text):
    """Keys of many parts would take minutes to read."""
    (tmp_path / "given").write_text(text)
    with pytest.raises(ConfigError) as caught:
        screens(tmp_path / "given")
    assert len(str(caught.value)) < 300
