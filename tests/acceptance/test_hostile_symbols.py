"""Texts that are no symbols, through a whole stack: seen, explained, and obeyed by nothing."""

from __future__ import annotations

import json
import os
import stat

import pytest
from stack_fixtures import environment, scan, scan_json, stack_up

pytestmark = pytest.mark.timeout(120)

HEADER = "symbol,date,open,high,low,close,volume\n"

HOSTILE = [
    "AAA:records",
    "../../etc/passwd",
    "\x1b[2J\x1b]8;;http://x\x07A",
    "\x9b31mA",
    "\u202eAAA",
    "A\x7fA",
    "[red]A[/red]",
    "[link=http://x]A",
    "=1+1",
    "@SUM(A1)",
    "\uff21\uff21\uff21",
    "\u0410AA",
    "A\u200bA",
    "A" * 100_000,
    "$(id)",
    "*",
]


@pytest.fixture
def _open_to_all():
    """Let files be made as a careless shell lets them."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_open_to_all")
def test_hostile_symbols_cost_themselves_only_and_what_is_written_is_private(tmp_path):
    """The good symbol has its row; each other is an error of its own that no terminal obeys."""
    env = environment(tmp_path / "home", profile="free", deadline=60)
    lines = "".join(f"GOOD,2025-01-{day:02},10,11,9,10.5,1000\n" for day in range(2, 32))
    (tmp_path / "bars.csv").write_text(HEADER + lines)
    (tmp_path / "mine\u202e.txt").write_text("\n".join(["GOOD", *HOSTILE]) + "\n")
    env |= {"SCANNER_DATA": str(tmp_path / "bars.csv"), "SCANNER_SCHEDULE": "off"}
    env |= {"SCANNER_UNIVERSE": str(tmp_path / "mine\u202e.txt")}
    with stack_up(env):
        report = scan_json("enqueue", "--wait", "--json", env=env)
        assert report["ledger"] == {"scored": 1, "error:InvalidSymbol": len(HOSTILE)}
        shown = [scan("why", one, env=env) for one in HOSTILE[2:5]]
        shown += [scan("why", HOSTILE[3], "--json", env=env)]
        assert json.loads(shown[-1].stdout)["symbol"] == HOSTILE[3]
        asked = ("status", "show", "cancel")
        others = [scan(name, f"{report['id']}:records", env=env) for name in asked]
        assert [one.returncode for one in others] == [2] * len(others)
        assert all("expected the id of a scan" in one.stderr for one in others)
        shown += [*others, scan("show", env=env), scan("why", "\x1b[2J", env=env)]
        shown += [scan("status", env=env), scan("status", "\x1b[2J", env=env)]
        shown += [scan("run", "--universe", "\x1b", env=env)]
        for one in shown:
            assert (one.stdout + one.stderr).replace("\n", "").isprintable(), one.args
            assert "Traceback" not in one.stderr
        paths = [tmp_path / "home", *(tmp_path / "home").rglob("*")]
        assert {"beat.log", "up.log", "stack.json", "lock"} <= {path.name for path in paths}
        modes = {str(path): stat.S_IMODE(path.lstat().st_mode) & 0o077 for path in paths}
        assert {path: mode for path, mode in modes.items() if mode} == {}
