"""What a scan of a real provider costs is said first, and asked for."""

from __future__ import annotations

import click
import pytest
from runtime_builders import runtime_on
from scan_builders import ScriptedProvider, series

from scanner.errors import ConfigError
from views.cli import preflight

SYMBOLS = [f"S{n}" for n in range(50)]


@pytest.fixture
def runtime(queue, monkeypatch):
    """Return a runtime on a provider that is far away and allows five requests a minute."""
    monkeypatch.setenv("SCANNER_POLYGON_URL", "https://api.example.com")
    monkeypatch.setenv("SCANNER_RATE", "5/minute")
    provider = ScriptedProvider({s: series(s) for s in SYMBOLS})
    return runtime_on(queue, provider, provider="polygon")


def test_calls_and_minutes_are_said_and_no_answer_is_a_no(runtime, capsys):
    """Without a terminal the scan needs --yes, or YES=1 for make."""
    with pytest.raises(ConfigError, match="YES=1"):
        preflight.confirm_cost(runtime, None, yes=False)
    said = capsys.readouterr().err
    assert "50 symbols, 50 calls to https://api.example.com, 12.2 minutes at 5/minute" in said


def test_yes_goes_on_without_asking(runtime):
    """As a script wants it."""
    preflight.confirm_cost(runtime, None, yes=True)


def test_a_no_at_the_terminal_ends_the_command(runtime, monkeypatch):
    """The question is asked once, and `n` aborts."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda *_a, **_k: (_ for _ in ()).throw(click.Abort()))
    with pytest.raises(click.Abort):
        preflight.confirm_cost(runtime, None, yes=False)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8801", True),
        ("http://localhost", True),
        ("http://127.0.0.1.example.com", False),
        ("https://api.massive.com", False),
    ],
)
def test_only_this_machine_is_not_asked_for(url, here):
    """A name that merely begins like a loopback address is far away."""
    assert preflight.on_this_machine(url) is here
