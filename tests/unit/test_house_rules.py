"""The house rules, read from the code itself: sizes, names, excepts, prints and imports."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("scanner", "worker", "scheduler", "views", "simulator")
FILES = {
    str(path.relative_to(ROOT)): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
BANNED = {"utils", "helpers", "common", "misc", "core", "manager", "engine", "tools"}
BROAD = {"Exception", "BaseException"}
MAY_CATCH_ALL = {
    "scanner/pipeline.py",
    "scheduler/reconcile.py",
    "worker/guard.py",
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

#: Imports every module while nothing may be written, started or connected to.
IMPORT_ALL = """
import importlib, sys, threading
STARTS = ("socket.connect", "subprocess.Popen", "os.system", "os.fork", "os.mkdir",
          "os.remove", "os.rename", "os.kill", "shutil.rmtree")
def refuse(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if event in STARTS or writes:
        raise SystemExit(f"importing {name}: {event} {args}")
sys.addaudithook(refuse)
for name in sys.argv[1:]:
    importlib.import_module(name)
    if threading.active_count() > 1:
        raise SystemExit(f"importing {name} started a thread")
"""


@pytest.fixture(scope="module")
def trees():
    """Parse every module once."""
    return {name: ast.parse(path.read_text()) for name, path in FILES.items()}


def lines_of(node):
    """Return the lines that a function or class takes, without its decorators."""
    return node.end_lineno - node.lineno + 1


def nodes(trees, kinds):
    """Return (file and line, node) of every node of `kinds`."""
    return [
        (f"{name}:{node.lineno}", node)
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    ]


def test_the_rules_look_at_every_package():
    """A folder that was renamed would else pass by having no files."""
    assert {name.split("/")[0] for name in FILES} == set(PACKAGES)


def test_no_file_is_longer_than_300_lines():
    """A longer one does two things."""
    sizes = {name: len(path.read_text().splitlines()) for name, path in FILES.items()}
    assert {name: size for name, size in sizes.items() if size > 300} == {}


def test_no_function_is_longer_than_50_lines_and_half_are_within_10(trees):
    """The longest and the median of all functions."""
    sizes = {where: lines_of(node) for where, node in nodes(trees, FUNCTIONS)}
    assert {where: size for where, size in sizes.items() if size > 50} == {}
    assert statistics.median(sizes.values()) <= 10


def test_no_class_is_longer_than_150_lines(trees):
    """Settings count too."""
    sizes = {where: lines_of(node) for where, node in nodes(trees, ast.ClassDef)}
    assert {where: size for where, size in sizes.items() if size > 150} == {}


def argument_count(node):
    """Return how many arguments a function takes beside self and cls."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len([one for one in given if one.arg not in {"self", "cls"}])


def test_no_function_takes_more_than_6_arguments(trees):
    """Named and positional ones together."""
    counts = {where: argument_count(node) for where, node in nodes(trees, FUNCTIONS)}
    assert {where: count for where, count in counts.items() if count > 6} == {}


def test_no_file_or_folder_has_a_name_that_says_nothing():
    """Such a name invites everything that has no place."""
    names = {name: set(Path(name).with_suffix("").parts) & BANNED for name in FILES}
    assert {name: found for name, found in names.items() if found} == {}


def test_every_module_says_what_it_is(trees):
    """A docstring opens each file."""
    assert [name for name, tree in trees.items() if not ast.get_docstring(tree)] == []


def catches_all(node):
    """Return whether a handler catches everything and does not raise it again."""
    names = (
        {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)} if node.type else BROAD
    )
    last = node.body[-1]
    raised_again = isinstance(last, ast.Raise) and last.exc is None
    return bool(names & BROAD) and not raised_again


def test_only_block_task_and_reconciler_catch_everything(trees):
    """One `except` in each of these files, and nowhere else."""
    found = [
        w.partition(":")[0] for w, node in nodes(trees, ast.ExceptHandler) if catches_all(node)
    ]
    assert sorted(found) == sorted(MAY_CATCH_ALL)


def test_nothing_prints_outside_the_views(trees):
    """Output of a worker is its log."""
    prints = [
        where
        for where, node in nodes(trees, ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert [where for where in prints if not where.startswith("views/")] == []


def test_only_commands_import_inside_functions(trees):
    """A function-level import hides a dependency, but keeps `scan --help` fast."""
    found = {
        f"{where.partition(':')[0]}:{inner.lineno}"
        for where, node in nodes(trees, FUNCTIONS)
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    }
    assert sorted(where for where in found if not where.startswith("views/cli/")) == []


def test_no_work_is_left_for_later():
    """What is not done has no line in the code."""
    marks = ("TO" + "DO", "FIX" + "ME", "X" + "XX")
    found = [
        f"{name}:{number}"
        for name, path in FILES.items()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if any(mark in line for mark in marks)
    ]
    assert found == []


def test_importing_any_module_does_nothing(tmp_path):
    """No file is written, no process or thread started, no socket opened."""
    names = [name.removesuffix(".py").replace("/", ".") for name in FILES]
    modules = [n.removesuffix(".__init__") for n in names if not n.endswith("__main__")]
    done = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT_ALL, *modules],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
