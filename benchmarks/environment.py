"""The process that measures: set up as a worker is, with one thread for numpy and polars."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from scanner.freed_memory import keep_freed_memory
from scanner.indicators.loops import COMPILED
from worker.garbage import collect_rarely

ROOT: Final = Path(__file__).parents[1]

#: Variables that libraries read when they are loaded.
ONE_THREAD: Final = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)


def as_worker() -> None:
    """Let this process treat memory as the workers of a scan do."""
    keep_freed_memory()
    collect_rarely()


def child(module: str, *arguments: object, env: Mapping[str, str] = ONE_THREAD) -> Any:
    """Return what `python -m module arguments` prints as JSON, with `env` and no thread limits."""
    bare = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=bare | dict(env),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def machine() -> str:
    """Return what it was measured on, in one line."""
    return (
        f"{os.cpu_count()} cores of {_processor()}, {platform.system()}, "
        f"Python {platform.python_version()}, numpy {np.__version__}, "
        f"loops {'by C' if COMPILED else 'by numpy'}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
