"""`scan settings`: each value with its origin, strange variables, and columns that stay empty."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from scanner.indicators.registry import DEFAULT_COLUMNS
from scanner.settings import Settings, load_settings
from views.cli.origins import empty_columns, origin, sessions_in, unknown_variables
from views.cli.settings import settings


def shown():
    """Return what `scan settings --json` prints."""
    done = CliRunner().invoke(settings, ["--json"], catch_exceptions=False)
    return json.loads(done.stdout)


def test_every_setting_is_shown_with_value_unit_and_sentence():
    """As JSON by variable."""
    found = shown()
    names = {
        "POLYGON_API_KEY" if n == "polygon_key" else f"SCANNER_{n.upper()}"
        for n in Settings.model_fields
    }
    assert set(found) == names | {"empty_columns"}
    assert all(one["unit"] and one["about"] for n, one in found.items() if n in names)
    assert found["SCANNER_WORKERS"]["value"] == "4"


def test_the_table_for_people_names_them_too():
    """With the units."""
    done = CliRunner().invoke(settings, catch_exceptions=False, env={"COLUMNS": "200"})
    assert "SCANNER_BARS_EXPIRY" in done.output
    assert "seconds" in done.output


def test_secrets_are_not_shown(monkeypatch):
    """Neither the key nor the password in an address."""
    monkeypatch.setenv("POLYGON_API_KEY", "made-up-key")
    monkeypatch.setenv("SCANNER_REDIS_URL", "redis://:made-up-password@host:6379/0")
    for arguments in ([], ["--json"]):
        assert "made-up" not in CliRunner().invoke(settings, arguments).output


@pytest.mark.parametrize(
    ("variables", "name", "expected"),
    [
        ({}, "workers", "profile pro_plus"),
        ({"SCANNER_PROFILE": "free"}, "workers", "profile free"),
        ({"SCANNER_WORKERS": "2"}, "workers", "environment SCANNER_WORKERS"),
        ({"PRO_PLUS_OPTIMIZED": "1"}, "profile", "environment PRO_PLUS_OPTIMIZED"),
        ({"SCANNER_DATA": "/x"}, "provider", "environment SCANNER_DATA"),
        ({"MASSIVE_API_KEY": "k"}, "polygon_key", "environment MASSIVE_API_KEY"),
        ({}, "lookback_days", "default"),
        ({}, "rate", "default"),
        ({"SCANNER_PROVIDER": "polygon"}, "rate", "profile pro_plus"),
    ],
)
def test_the_origin_of_a_value_is_told(monkeypatch, variables, name, expected):
    """Environment, profile or default."""
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert origin(name, load_settings(), {}) == expected


def test_the_stack_that_is_up_is_an_origin(monkeypatch, tmp_path):
    """But the environment wins."""
    stack = {"SCANNER_WORKERS": "2", "SCANNER_THREADS": "2"}
    monkeypatch.setenv("SCANNER_THREADS", "3")
    chosen = load_settings(stack)
    assert origin("workers", chosen, stack) == "the stack that is up"
    assert origin("threads", chosen, stack) == "environment SCANNER_THREADS"
    assert origin("min_bars", chosen, stack) == "default"


def test_variables_that_no_setting_reads_are_named_with_the_nearest():
    """But for those of the tests."""
    strange = "SCANNER_" + "Q" * 40
    environ = {"SCANNER_WORKER": "2", "SCANNER_TEST_X": "1", "SCANNER_THREADS": "2", "PATH": "/"}
    assert unknown_variables(environ | {strange: "1"}) == {
        strange: "one of these",
        "SCANNER_WORKER": "SCANNER_WORKERS",
    }


def test_a_misspelt_variable_is_told_on_stderr(monkeypatch):
    """The scan goes on without it."""
    monkeypatch.setenv("SCANNER_LOOKBACK", "10")
    done = CliRunner().invoke(settings, catch_exceptions=False)
    assert "SCANNER_LOOKBACK is no setting: did you mean SCANNER_LOOKBACK_DAYS?" in done.stderr


def test_columns_that_need_more_bars_than_the_lookback_has_are_named():
    """None by default; a year's columns with half a year."""
    assert empty_columns(load_settings()) == []
    short = set(empty_columns(load_settings(lookback_days=180)))
    assert {"sma_200", "momentum_252_21", "distance_high_252"} <= short
    assert "sma_20" not in short
    assert empty_columns(load_settings(lookback_days=2)) != list(DEFAULT_COLUMNS)
    assert empty_columns(load_settings(columns="sma_300,kama_10_2_30")) == ["sma_300"]


def test_sessions_are_about_seven_tenths_of_days():
    """252 a year."""
    assert (sessions_in(365), sessions_in(400), sessions_in(1)) == (252, 276, 0)
