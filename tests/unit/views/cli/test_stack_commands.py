"""The commands of a stack: what each process is told, and what it is not."""

from __future__ import annotations

import sys

import pytest

from scanner.settings import load_settings
from views.cli.home import Home
from views.cli.stack import Stack, as_variables

KEYS = ("POLYGON_API_KEY", "MASSIVE_API_KEY")
#: Variables of a caller that would reach into Celery, Flower or Python.
FOREIGN = {
    "CELERY_CONFIG_MODULE": "mine",
    "CELERY_CUSTOM_WORKER_POOL": "celery.concurrency.solo:TaskPool",
    "FLOWER_AUTO_REFRESH": "0",
    "BROKER_URL": "redis://elsewhere",
    "PYTHONPATH": "/elsewhere",
    "PYTHONSTARTUP": "/elsewhere/start.py",
    "SCANNER_STRANGE": "1",
}


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """Return by name what a caller with two keys and strange variables would start."""
    for name in KEYS:
        monkeypatch.setenv(name, f"value-of-{name}")
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    home = Home(folder=tmp_path / "home")
    home.create()
    stack = Stack(settings=load_settings(workers=1, home=home.folder), home=home, scheduled=True)
    found = [*stack.servers(), *stack.workers({}), *stack.watchers()]
    yield {command.name: command for command in found}
    for command in found:
        if command.listens is not None:
            command.listens.close()


def test_the_provider_s_key_is_given_to_those_alone_that_may_call_the_provider(commands):
    """The market that is simulated, the server, Flower and beat need no key."""
    told = {name for name, command in commands.items() if "value-of" in str(command.env)}
    assert told == {"scan1", "control"}
    assert not any("value-of" in str(command.argv) for command in commands.values())


def test_the_provider_s_key_is_none_of_the_variables_that_are_written_down():
    """`stack.json` holds the variables; the key stays in the environment."""
    settings = load_settings(polygon_key="made-up")
    assert settings.polygon_key.get_secret_value() == "made-up"
    assert "made-up" not in as_variables(settings).values()


def test_a_caller_s_variables_of_celery_flower_and_python_reach_no_process(commands):
    """What a stack does is told by its settings alone."""
    kept = {
        name: [strange for strange, value in FOREIGN.items() if command.env.get(strange) == value]
        for name, command in commands.items()
    }
    assert not any(kept.values()), kept


def test_workers_have_the_pool_that_ends_a_process_with_a_lost_thread(commands):
    """Celery's own pool would go on with one thread less."""
    for name in ("scan1", "control"):
        command = commands[name]
        assert command.argv[command.argv.index("--pool") + 1] == "custom"
        assert command.env["CELERY_CUSTOM_WORKER_POOL"] == "worker.pool:FailFastThreadPool"


def test_flower_answers_this_machine_alone_and_changes_nothing(commands):
    """Its login is in its environment, not among its arguments."""
    flower = commands["flower"]
    assert {"--address=127.0.0.1", "--read_only"} <= set(flower.argv)
    login = flower.env["FLOWER_BASIC_AUTH"]
    assert login.startswith("scan:")
    assert login not in flower.argv


def test_files_in_the_home_folder_are_no_modules_of_a_process(commands):
    """Each Python runs without its working directory on its path."""
    python = {name: one.argv for name, one in commands.items() if one.argv[0] == sys.executable}
    assert set(python) == set(commands) - {"valkey"}
    assert {argv[1:3] for argv in python.values()} == {("-P", "-m")}
