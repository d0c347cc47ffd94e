"""README and docs: every command runs, and every printed output is a real one.

Blocks marked `console` show commands behind `$` and what they print; blocks marked `sh` only
commands. SCANNER_TEST_UPDATE_DOCS=1 writes what the commands print into the pages.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass

import pytest
from bars_builders import long_table, write_table
from process_fixtures import running_simulator
from stack_fixtures import REPOSITORY, environment, scan

from scanner import keys
from views.cli.main import COMMANDS

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
UPDATE = os.environ.get("SCANNER_TEST_UPDATE_DOCS") == "1"

#: Commands that cannot run here, and why.
NOT_RUN = {
    "docker": "there may be no Docker engine; test_compose.py runs the services' own commands",
    "REDIS_PASSWORD=...": "as docker",
}
#: What differs from run to run, and what stands for it.
VARYING = [
    (r"\d{8}-\d{6}-[0-9a-f]{6}", "ID"),
    (r"(simulator|files|polygon)-[0-9a-f]{10,}", r"\1-HASH"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)", "TIME"),
    (r"\(\d+ days? old\)|\(today\)", "(AGE)"),
    (r"in [\d.]+s \([\d.]+s/symbol\)", "in SECONDS"),
    (r'"(plan|enqueue|bars|indicators|decide|rows|aggregate|total)":[\d.]+', r'"\1":SECONDS'),
    (r'"(processes|threads)":\d+', r'"\1":N'),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\(process \d+\)", "(process PID)"),
    (r"/\S*/\.market-scanner", "~/.market-scanner"),
    (r"@[\w.-]+(?=,|$)", "@HOST"),
    (r"embedded, \S+", "embedded, PATH"),
    (r"[\d.]+[KM] used", "SIZE used"),
    (r"ok   python: [\d.]+", "ok   python: VERSION"),
]


@dataclass
class Step:
    """One command of a page and the lines that the page prints below it."""

    command: str
    printed: list[str]


def blocks(page, kind):
    """Return the contents of a page's blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def steps(page):
    """Return the commands of a page's console blocks, in their order."""
    found = []
    for line in "".join(blocks(page, "console")).splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], []))
        else:
            found[-1].printed.append(line)
    return found


def normal(line):
    """Return a line without what differs from run to run."""
    for pattern, stand_in in VARYING:
        line = re.sub(pattern, stand_in, line)
    return re.sub(r"\s+", " ", line).strip()


def run(command, env, folder):
    """Run a command of a page as its reader would."""
    if command.startswith("make "):
        command = command.replace("make ", f"make -s -C '{REPOSITORY}' ", 1)
        command = command.replace("DATA=", f"DATA={folder}/")
    command = command.replace(" deploy/", f" {REPOSITORY}/deploy/")
    return subprocess.run(
        ["sh", "-c", command],
        env=env,
        cwd=folder,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=280,
        check=False,
    )


@pytest.fixture
def reader(tmp_path):
    """An empty folder with some bars in it, and an environment without any setting."""
    (tmp_path / "home").mkdir()
    folder = tmp_path / "work"
    folder.mkdir()
    write_table(long_table(), folder / "bars.csv")
    env = environment(tmp_path / "unused") | {"HOME": str(tmp_path / "home"), "COLUMNS": "100"}
    del env["SCANNER_HOME"]
    return env, folder


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [p for p in PAGES if steps(p)], ids=lambda page: page.name)
def test_console_blocks_print_what_they_show(page, reader):
    """Each command of a page succeeds and prints the lines that the page shows."""
    env, folder = reader
    shown = {}
    try:
        for step in steps(page):
            done = run(step.command, env, folder)
            assert done.returncode == 0, f"{step.command}: {done.stderr}"
            shown[step.command] = done.stdout.rstrip("\n").splitlines()
            if not UPDATE:
                assert [normal(line) for line in step.printed] == [
                    normal(line) for line in shown[step.command]
                ], step.command
    finally:
        scan("down", env=env)
    if UPDATE:
        rewrite(page, shown, env["HOME"])


def rewrite(page, shown, home):
    """Put what the commands printed below them."""

    def with_output(match):
        commands = [line for line in match[1].splitlines() if line.startswith("$ ")]
        lines = [out for line in commands for out in (line, *shown[line[2:]])]
        return "```console\n" + "\n".join(lines) + "\n```"

    block = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    text = block.sub(with_output, page.read_text()).replace(home, "~")
    page.write_text(text.replace(str(REPOSITORY), "~/market-scanner"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "sh")], ids=lambda page: page.name)
def test_commands_of_sh_blocks_run(page, reader, tmp_path):
    """Each command of a page that can run here succeeds; the real provider is played."""
    env, folder = reader
    with running_simulator(tmp_path, "--symbols", "20", "--key", "a-key") as url:
        env |= {"SCANNER_POLYGON_URL": url, "POLYGON_API_KEY": "a-key"}
        for command in "".join(blocks(page, "sh")).splitlines():
            if command.split()[0] not in NOT_RUN:
                done = run(command, env, folder)
                assert done.returncode == 0, f"{command}: {done.stderr}"


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_python_blocks_run(page, reader):
    """Each program of a page runs in a folder with some bars."""
    env, folder = reader
    for block in blocks(page, "python"):
        done = subprocess.run(
            ["python", "-c", block],
            env=env,
            cwd=folder,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "Row(" in done.stdout


def test_every_command_is_in_the_readme():
    """A command that the README does not list does not exist for its readers."""
    text = (REPOSITORY / "README.md").read_text()
    assert [name for name in COMMANDS if f"`scan {name}" not in text] == []


def test_every_redis_key_is_described():
    """The page of keys has a line for each function and constant of keys.py."""
    text = re.sub("[{}]", "", (REPOSITORY / "docs/architecture.md").read_text())
    made = [keys.SCANS, keys.SCANS_OPEN, keys.scan("id"), keys.records("id")]
    made += [keys.retry("id"), keys.universe_of("id"), keys.report("id")]
    made += [keys.bars("source", "timeframe", "symbol"), keys.budget("provider")]
    made += [keys.tasks("id"), keys.texts_of("id"), keys.listing("source")]
    made += [keys.day("source", "date"), keys.splits("source")]
    made += [keys.claim("source", "what"), keys.suspects("source")]
    made += [keys.compared("source", "day"), keys.live("source")]
    made += [keys.under_way("node")]
    made += [keys.cooldown("provider"), keys.breaker("provider")]
    assert [key for key in made if f"`{key}`" not in text] == []
    for start in ("lock:source", "slot:source", "scan:latest:source"):
        assert f"`ms1:{start}:" in text


def test_relative_links_lead_somewhere():
    """Each link between the pages names a file that exists."""
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_tests_that_a_page_names_exist():
    """What a page says is tried has a test of that name."""
    tests = {path.name for path in (REPOSITORY / "tests").rglob("test_*.py")}
    named = {name for page in PAGES for name in re.findall(r"`(test_\w+\.py)`", page.read_text())}
    assert len(named) > 10
    assert named - tests == set()
