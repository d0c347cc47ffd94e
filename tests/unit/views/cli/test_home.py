"""The home folder: modes, passwords, the stack that is up, and its lock."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.errors import ConfigError
from scanner.settings import load_settings
from views.cli.home import Home, process_start

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture
def home(tmp_path):
    """Return a home folder that has been made under a generous umask."""
    before = os.umask(0)
    one = Home(folder=tmp_path / "a" / "home")
    one.create()
    yield one
    os.umask(before)


def mode(path):
    """Return the permissions of a path."""
    return stat.S_IMODE(path.stat().st_mode)


def facts_of(pid):
    """Return what a stack of the process `pid` says of itself."""
    return {"pid": pid, "started": process_start(pid), "scheduled": True}


def ended_process():
    """Return the facts of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        facts = facts_of(process.pid)
        process.communicate(b"\n")
    return facts


def test_the_folder_is_open_to_its_owner_alone(home):
    """With its logs, and also if it was open before."""
    assert (mode(home.folder), mode(home.logs)) == (0o700, 0o700)
    home.folder.chmod(0o755)
    home.create()
    assert mode(home.folder) == 0o700


def test_a_folder_is_not_open_to_others_for_a_moment(tmp_path, monkeypatch):
    """Not even under a umask that allows all, before its mode is set."""
    made = []
    monkeypatch.setattr(Path, "chmod", lambda path, _: made.append((path.name, mode(path))))
    before = os.umask(0)
    try:
        Home(folder=tmp_path / "home").create()
    finally:
        os.umask(before)
    assert made == [("home", 0o700), ("logs", 0o700)]


def test_a_folder_that_cannot_be_made_is_a_mistake_of_the_user(tmp_path):
    """The message names the setting and the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"SCANNER_HOME: cannot make .*file"):
        Home(folder=tmp_path / "file" / "home").create()


def test_private_files_are_readable_by_their_owner_alone(home):
    """Stack, settings and passwords, also where an open file was before."""
    home.stack_file.write_text("")
    home.stack_file.chmod(0o666)
    home.write_stack(facts_of(os.getpid()))
    home.secret(home.flower_password_file)
    for path in (home.stack_file, home.flower_password_file):
        assert mode(path) == 0o600
    assert [path.name for path in home.folder.glob("*.part")] == []


def test_a_password_is_made_once_and_kept(home):
    """Long, and another one for each file."""
    first = home.secret(home.flower_password_file)
    assert home.secret(home.flower_password_file) == first
    assert home.secret(home.folder / "other") != first
    assert len(first) >= 24


def test_a_stack_that_is_up_is_found(home):
    """By any other process."""
    facts = facts_of(os.getpid())
    home.write_stack(facts)
    assert home.stack() == facts
    home.remove_stack()
    assert home.stack() is None
    home.remove_stack()


@LINUX
def test_the_stack_of_a_process_that_has_ended_is_no_stack(home):
    """A killed `scan up` leaves its file behind."""
    home.write_stack(ended_process())
    assert home.stack() is None


@LINUX
def test_the_stack_of_an_earlier_process_of_the_same_id_is_no_stack(home):
    """Ids are used again after a restart of the machine."""
    home.write_stack(facts_of(os.getpid()) | {"started": "12"})
    assert home.stack() is None


@LINUX
def test_a_process_that_nobody_waited_for_has_ended():
    """A zombie does not serve."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_start(process.pid) is None


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "{}", '{"pid": 1', '{"pid": "x", "started": "1"}']
)
def test_a_stack_file_that_makes_no_sense_is_no_stack(home, text):
    """The next command starts a stack of its own."""
    home.stack_file.write_text(text)
    assert home.stack() is None


def test_the_stack_s_variables_are_read_back_as_settings(home):
    """Spaces, quotes, backslashes, and what a shell would replace included."""
    values = {
        "SCANNER_REDIS_URL": "redis://:p#a${HOME}%20b@host:6379/0",
        "SCANNER_UNIVERSE": "/a b/#o'brien's \\\\ \"list\".txt",
        "SCANNER_WORKERS": "3",
    }
    home.write_stack(facts_of(os.getpid()) | {"variables": values})
    chosen = load_settings(home.stack()["variables"])
    assert chosen.redis_url.get_secret_value() == values["SCANNER_REDIS_URL"]
    assert chosen.universe == values["SCANNER_UNIVERSE"]
    assert chosen.workers == 3


def test_the_stack_file_is_plain_json(home):
    """For other programs."""
    home.write_stack({"pid": 1, "processes": {"valkey": 2}})
    assert json.loads(home.stack_file.read_text()) == {"pid": 1, "processes": {"valkey": 2}}


def test_a_folder_is_held_by_one_process_at_a_time(tmp_path):
    """A second command says that the first is at work, and may try again."""
    one, other = Home(folder=tmp_path / "h"), Home(folder=tmp_path / "h")
    with (
        one.locked(),
        pytest.raises(ConfigError, match="another scan command"),
        other.locked(patience=0.1),
    ):
        pass
    with other.locked(patience=0.1):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    """Nothing has to be cleaned up by hand."""
    hold = (
        "import sys; from pathlib import Path; from views.cli.home import Home\n"
        "with Home(folder=Path(sys.argv[1])).locked():\n"
        "    print('held', flush=True); input()"
    )
    home = Home(folder=tmp_path / "h")
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(home.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError), home.locked(patience=0.1):
            pass
        process.kill()
        process.wait()
        with home.locked():
            pass
