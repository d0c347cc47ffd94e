"""Options of the simulator: what is refused, and that the docs know all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.faults import ANSWER_FAULTS, DATA_FAULTS
from simulator.options import _parser, read_options
from simulator.serve import main

PAGE = (Path(__file__).parents[3] / "docs/operations.md").read_text()


def test_every_option_and_fault_is_documented():
    """In the page on operations."""
    flags = [action.option_strings[-1] for action in _parser()._actions]
    assert [flag for flag in flags if f"`{flag}" not in PAGE] == ["--help"]
    assert [kind for kind in (*ANSWER_FAULTS, *DATA_FAULTS) if f"`{kind}`" not in PAGE] == []


def test_splits_are_an_option_of_a_replayed_market(capsys):
    """A made-up one has its own."""
    with pytest.raises(SystemExit, match="2"):
        read_options(["--splits", "splits.csv"])
    assert "--replay" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--clock", "2020-01-02T12:00:00"], "now: expected a time from 2023"),
        (["--sessions", "100000"], "sessions, got 100000"),
        (["--replay", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_a_market_that_cannot_be_is_told_in_one_line(monkeypatch, options, words):
    """Instead of a traceback."""
    monkeypatch.setattr("sys.argv", ["simulator", "--symbols", "1", *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert str(ended.value.code).startswith("simulator: ")
    assert words in str(ended.value.code)
