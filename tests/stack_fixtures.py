"""The command line as a user runs it: real processes, a home folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
#: Real bars beside the repository; tests that need them skip without.
REAL_BARS = Path(os.environ.get("SCANNER_TEST_BARS", REPOSITORY / "../shared/data/bars.parquet"))
#: Flower's own port, or one for each of the test processes that run side by side.
FLOWER_PORT = 5555 + 100 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
#: Days and sessions of the real bars and of the simulator's default market.
AS_OF = "2025-07-09"


def environment(home: Path, **settings: object) -> dict[str, str]:
    """Return a clean environment with `SCANNER_<NAME>` for each of `settings`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SCANNER_", "POLYGON_", "MASSIVE_", "CELERY_", "FLOWER_"))
    }
    kept["PATH"] = f"{Path(sys.executable).parent}:{kept['PATH']}"
    kept["SCANNER_HOME"] = str(home)
    kept["COLUMNS"] = "120"
    kept["SCANNER_SCHEDULE"] = "off"  # else beat starts scans of its own, at one time of the day
    kept["SCANNER_FLOWER_PORT"] = str(FLOWER_PORT)
    return kept | {f"SCANNER_{name.upper()}": str(value) for name, value in settings.items()}


def scan(
    *arguments: str, env: Mapping[str, str], cwd: Path | None = None, timeout: float = 240
) -> subprocess.CompletedProcess[str]:
    """Run `scan` to its end and return what it printed."""
    return subprocess.run(
        ["scan", *arguments],
        env=env,
        cwd=cwd,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        check=False,
    )


def scan_json(*arguments: str, env: Mapping[str, str], timeout: float = 240) -> Any:
    """Run `scan`, which has to succeed, and return the JSON that it printed."""
    done = scan(*arguments, env=env, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def exported(env: Mapping[str, str], scan_id: str) -> dict[str, dict[str, Any]]:
    """Return all rows of a scan by symbol."""
    return {row["symbol"]: row for row in scan_json("export", scan_id, "--format", "json", env=env)}


@contextmanager
def stack_up(env: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield what `scan status` says of a stack that is up while the body runs."""
    started = scan("up", env=env)
    assert started.returncode == 0, started.stderr
    try:
        yield scan_json("status", "--json", env=env)["stack"]
    finally:
        stopped = scan("down", env=env)
        assert stopped.returncode == 0, stopped.stderr


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first true value of `condition`; fail with `what` if there is none in time."""
    ends = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < ends, f"{what} did not happen in {seconds:.0f} s"
        time.sleep(0.1)
    return value


def redis_url(env: Mapping[str, str]) -> str:
    """Return the address of the server of the stack that is up."""
    facts = json.loads((Path(env["SCANNER_HOME"]) / "stack.json").read_text())
    return facts["variables"]["SCANNER_REDIS_URL"]


def alive(pid: int) -> bool:
    """Return whether a process runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
