"""What the benchmarks found: rows of every theme come in, tables for people or for pages go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The median seconds of two that took turns."""

    what: str
    sessions: int
    ours: float
    #: What ours is compared with.
    beside: str
    theirs: float
    #: How many times faster ours has to be; None: nothing is asked.
    least: float | None = None
    #: How many times the other's time ours may take, where that is the question.
    most: float | None = None

    @property
    def ratio(self) -> float:
        """Theirs / ours; ours / theirs where `most` is asked."""
        return self.theirs / self.ours if self.most is None else self.ours / self.theirs

    @property
    def target(self) -> str:
        """What the ratio has to be."""
        if self.most is not None:
            return f"at most {self.most:g}"
        return "-" if self.least is None else f"at least {self.least:g}"

    @property
    def met(self) -> str:
        """Whether the ratio is what it has to be."""
        if self.most is not None:
            return "yes" if self.ratio <= self.most else "NO"
        if self.least is None:
            return "-"
        return "yes" if self.ratio >= self.least else "NO"

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        times = (duration(self.ours), self.beside, duration(self.theirs))
        return (self.what, str(self.sessions), *times, f"{self.ratio:.2f}", self.target, self.met)


#: Heads of the columns of `Comparison.cells`.
COMPARED = ("ours", "sessions", "time", "beside", "time", "ratio", "target", "met")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """One table."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    #: Sentences that say how it was measured.
    notes: Sequence[str] = ()

    def show(self, console: Console, *, markdown: bool) -> None:
        """Print the table and its notes."""
        if markdown:
            console.print(self._markdown(), markup=False, highlight=False, soft_wrap=True)
            return
        table = Table(*self.heads, title=self.title, box=box.SIMPLE, title_justify="left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        for note in self.notes:
            console.print(note, style="dim", markup=False, highlight=False)

    def _markdown(self) -> str:
        lines = [self.heads, ["---"] * len(self.heads), *self.rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return "\n".join([f"**{self.title}**", "", table, "", *self.notes, ""])


def compared(title: str, rows: Sequence[Comparison], notes: Sequence[str] = ()) -> Findings:
    """Return the table of `rows`."""
    cells = [row.cells() for row in rows]
    return Findings(title=title, heads=COMPARED, rows=cells, notes=notes)


def duration(seconds: float) -> str:
    """Return seconds with the unit that suits them."""
    if seconds < 1.0:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 1000.0 else f"{seconds:,.0f} s"
