"""Texts that others wrote on a terminal: what a terminal would obey is shown, not sent."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scan_builders import absence, report, row

from scanner.errors import ConfigError
from scanner.plain import plain
from scanner.settings import load_settings
from views.cli import main as command_line
from views.cli.doctor import _result
from views.cli.preflight import asked_screens
from views.cli.printing import print_json, print_report
from views.cli.processes import Command, Supervisor
from views.cli.run import print_found
from views.cli.screens import screens
from views.cli.settings import settings
from views.cli.show import _print_story
from views.tables import table_of

#: Clears the screen, links, colours by one byte, turns the writing round, goes back, rings.
HOSTILE = "\x1b[2J\x1b]8;;http://x\x07\x9b31m\u202e\u2066\r\x08\x00\x85\u2028[red]x[/red]\udcff"


@given(st.text(st.characters(exclude_categories=())))
def test_no_text_moves_a_terminal(text):
    """What is printable stays, and ends of lines where they are asked for."""
    assert plain(text).isprintable()
    assert plain(text, lines=True).replace("\n", "").isprintable()
    if text.isprintable():
        assert plain(text) == text
    assert plain(text, 3) == plain(text[:3])


def test_errors_are_shown_as_text(monkeypatch, capsys):
    """On several lines where they have several."""

    def fail(**_):
        raise ConfigError(f"one\n{HOSTILE}")

    monkeypatch.setattr(command_line.scan, "main", fail)
    with pytest.raises(SystemExit):
        command_line.main()
    said = capsys.readouterr().err
    assert said.startswith("scan: one\n\\x1b[2J")
    assert said.replace("\n", "").isprintable()
    assert "[red]x[/red]" in said


@pytest.mark.parametrize("error", [None, ConfigError(f"one\n{HOSTILE}")])
def test_what_doctor_finds_is_shown_as_text(error):
    """Also where it is what went wrong."""

    def check():
        if error is not None:
            raise error
        return f"one\n{HOSTILE}"

    said = _result("data", check)["said"]
    assert said.startswith("one\n\\x1b[2J")
    assert said.replace("\n", "").isprintable()


def test_settings_are_shown_as_text(monkeypatch):
    """A value may have come from a file of others."""
    monkeypatch.setenv("SCANNER_UNIVERSE", "\x1b[2J\u202eall[red]x[/red]")
    done = CliRunner().invoke(settings, catch_exceptions=False, env={"COLUMNS": "200"})
    assert "\\x1b[2J\\u202eall[red]x[/red]" in done.output
    assert done.output.replace("\n", "").isprintable()


def test_a_report_is_shown_as_text(capsys):
    """Notes, messages, and what stands for a symbol and is none."""
    text = HOSTILE[:-1]
    scan = report([row("AAA")], [absence(text)], notes=(text,), message=text)
    print_report(scan, table_of(scan, columns=("close",)))
    print_found(scan, top=1, where=None, as_json=True)
    story = {"simulated": False, "symbol": HOSTILE, "state": "error:X", "reason": HOSTILE}
    _print_story(story)
    shown = capsys.readouterr()
    text = (shown.out + shown.err).replace("\n", "")
    assert text.isprintable()
    assert text.count("[red]x[/red]") >= 4


def test_what_stands_for_a_symbol_and_is_none_is_shown_cut(capsys):
    """A whole file may stand there."""
    _print_story({"simulated": False, "symbol": "A" * 9_000, "state": "error:X", "reason": "no"})
    said = capsys.readouterr().out
    assert said.startswith("AAA")
    assert said.endswith("A: error:X: no\n")
    assert len(said) < 100


def test_mistakes_of_screens_are_shown_as_text(tmp_path, capsys):
    """Also those of a file whose name a terminal would obey."""
    path = tmp_path / "\x1b[2Jscreens\u202e.toml"
    path.write_text('[one]\nwhere = "close >"\n')
    done = CliRunner().invoke(screens, ["--file", str(path)], catch_exceptions=False)
    asked_screens(load_settings(screens=path), None)
    said = done.output + capsys.readouterr().err
    assert said.count("\\x1b[2Jscreens") == 2
    assert said.replace("\n", "").isprintable()


def test_json_is_the_same_value_in_printable_characters(capsys):
    """Escaped as JSON does, in ASCII where it has to be."""
    value = {"a": HOSTILE[:-1], "b": "\u00e9\u4e2d", "c": "\U000e0041"}
    print_json(value)
    text = capsys.readouterr().out
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == value
    assert "\u00e9\u4e2d" in text


def test_the_end_of_a_log_is_shown_as_text(tmp_path):
    """A process may have written what others sent it."""
    (tmp_path / "logs").mkdir()
    write = f"import sys; sys.stdout.buffer.write({HOSTILE[:-1].encode()!r}); sys.exit(3)"
    command = Command(name="one", argv=(sys.executable, "-c", write), env={}, ready=lambda: False)
    supervisor = Supervisor(folder=tmp_path)
    supervisor.start(command)
    with pytest.raises(ConfigError, match="one ended with 3") as caught:
        supervisor.wait_ready(30.0, lambda _: None)
    supervisor.stop()
    assert str(caught.value).replace("\n", "").isprintable()
