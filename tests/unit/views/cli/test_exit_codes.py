"""Exit codes and messages of the command line; nothing ends in a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import click
import pytest
from process_fixtures import free_port

from scanner import errors
from views.cli import main as command_line

CODES = {
    errors.ScannerError("x"): 1,
    errors.ProviderUnavailable("x"): 1,
    errors.BadBars("x"): 1,
    errors.ConfigError("x"): 2,
    errors.KeyRefused("x"): 2,
    errors.StoreUnavailable("x"): 3,
    errors.ScanRunning("x", scan_id="s1"): 4,
}


def ends(monkeypatch, outcome):
    """Return the exit code of a command that returns or raises `outcome`."""

    def run(**_):
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(command_line.scan, "main", run)
    with pytest.raises(SystemExit) as caught:
        command_line.main()
    return caught.value.code


def scan(*arguments, **variables):
    """Run the command `scan` as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "views.cli.main", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.parametrize("error", CODES, ids=lambda error: type(error).__name__)
def test_each_error_has_its_exit_code_and_one_message(monkeypatch, capsys, error):
    """On stderr, so that a pipe stays clean."""
    assert ends(monkeypatch, error) == CODES[error]
    assert capsys.readouterr() == ("", "scan: x\n")


@pytest.mark.parametrize(("returned", "code"), [(0, 0), (5, 5), (1, 1), (None, 0)])
def test_a_command_decides_on_its_code(monkeypatch, returned, code):
    """Degraded is 5 with --strict."""
    assert ends(monkeypatch, returned) == code


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_130(monkeypatch, capsys, stop):
    """As a shell expects it."""
    assert ends(monkeypatch, stop) == 130
    assert capsys.readouterr().err == "scan: interrupted\n"


def test_a_mistake_in_the_arguments_is_2():
    """With the usage."""
    for arguments in (["nothing"], ["show", "--nothing"], ["run", "--as-of", "yesterday"]):
        done = scan(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Usage: " in done.stderr
        assert "Traceback" not in done.stderr


def test_wrong_settings_are_2_and_all_are_named():
    """Before anything is started."""
    done = scan("settings", SCANNER_WORKERS="many", SCANNER_SCHEDULE="now and then")
    assert done.returncode == 2
    assert "SCANNER_WORKERS" in done.stderr
    assert "SCANNER_SCHEDULE" in done.stderr


def test_redis_that_does_not_answer_is_3():
    """And its password is not shown."""
    url = f"redis://:made-up-password@127.0.0.1:{free_port()}/0"
    done = scan("status", SCANNER_REDIS_URL=url)
    assert done.returncode == 3
    assert "Redis does not answer" in done.stderr
    assert "made-up-password" not in done.stderr
    assert "Traceback" not in done.stderr


def test_every_command_is_listed_and_can_be_loaded():
    """Each with a sentence of help."""
    context = click.Context(command_line.scan)
    for name in command_line.COMMANDS:
        command = command_line.scan.get_command(context, name)
        assert command.name == name
        assert command.get_short_help_str()
    assert command_line.scan.get_command(context, "nothing") is None


def test_help_needs_neither_pandas_nor_celery():
    """Each of them takes longer to load than all the rest."""
    code = (
        "import sys, json; sys.argv = ['scan', '--help']\n"
        "from views.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & {"pandas", "celery", "exchange_calendars", "ta", "rich", "simulator"}
