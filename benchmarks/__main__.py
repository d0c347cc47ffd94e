"""`python -m benchmarks`: measures everything in one run and prints a table for each theme."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import click
from rich.console import Console

from benchmarks import cache, environment, library, loops, memory, rivals, scale, screens, tried
from benchmarks.faults import theme as faults
from benchmarks.scan import theme
from benchmarks.sizes import FULL, QUICK, Sizes
from benchmarks.tables import Findings

#: What can be measured; a theme of several tables yields each when it is done.
THEMES: Final[dict[str, Callable[[Sizes], Findings | Iterable[Findings]]]] = {
    "library": library.findings,
    "rivals": rivals.findings,
    "cache": cache.findings,
    "screens": screens.findings,
    "scale": scale.findings,
    "memory": memory.findings,
    "loops": loops.findings,
    "tried": tried.findings,
    "scan": theme.findings,
    "faults": faults.findings,
}

#: Columns of the terminal that a table takes.
_WIDTH: Final = 140


@click.command()
@click.argument("themes", nargs=-1, type=click.Choice(list(THEMES)))
@click.option("--markdown", is_flag=True, help="Print tables for a page.")
@click.option("--quick", is_flag=True, help="Show that all of it runs; its times mean nothing.")
def main(themes: tuple[str, ...], *, markdown: bool, quick: bool) -> None:
    """Measure THEMES, or all of them, and print a table for each."""
    if not environment.ONE_THREAD.items() <= os.environ.items():
        command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **environment.ONE_THREAD})  # noqa: S606 - this program again
    environment.as_worker()
    sizes = QUICK if quick else FULL
    progress, console = Console(stderr=True), Console(width=_WIDTH)
    for line in _heading(sizes):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for name in themes or THEMES:
        progress.print(f"measuring: {name}", style="dim")
        found = THEMES[name](sizes)
        for table in [found] if isinstance(found, Findings) else found:
            table.show(console, markdown=markdown)


def _heading(sizes: Sizes) -> Iterator[str]:
    yield f"Measured on {environment.machine()}."
    yield (
        f"Medians of {sizes.runs} runs in which the contenders took turns. The process keeps "
        "freed memory, as workers do. All use one thread where it is not said otherwise."
    )
    yield ""


if __name__ == "__main__":
    main()
