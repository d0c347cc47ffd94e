"""What the shipped screens cost: deciding a market beside computing what they use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks import market, timing
from benchmarks.sizes import Sizes
from benchmarks.tables import Comparison, Findings, compared, duration
from scanner.bars.block import FIELDS, BarBlock, FloatArray
from scanner.indicators.compute import compute
from scanner.rules.check import compile_rule
from scanner.rules.outcome import Rows
from scanner.rules.scope import Scope
from scanner.rules.screens import Screen, read_screens, shipped
from scanner.rules.tree import Series, walk
from scanner.rules.verdicts import input_rows, inputs_as_values, inputs_of, verdict

#: Milliseconds that parsing and checking a rule may take.
MOST_MS: Final = 1.0

_NOTE: Final = (
    "deciding: what each screen asks of each row, for all blocks, and then the outcomes of all "
    "rows together."
)


def findings(sizes: Sizes) -> Findings:
    """Return the table of the market; its notes say how long a rule takes to be read."""
    screens = read_screens(shipped()).good
    rows = [_compared(sizes, screens, sessions) for sessions in sizes.sessions[:1]]
    rules = {one.name: one.where.source for one in screens if one.where}
    spent = timing.interleaved(
        {name: lambda source=source: compile_rule(source) for name, source in rules.items()}, sizes
    )
    slowest = max(spent, key=spent.__getitem__)
    read = f"{duration(min(spent.values()))} to {duration(spent[slowest])} ({slowest})"
    return compared(
        "Ten screens beside the indicators that they use",
        rows,
        [_NOTE, f"Parsing and checking a rule: {read}, at most {MOST_MS:g} ms are asked for."],
    )


def _compared(sizes: Sizes, screens: Sequence[Screen], sessions: int) -> Comparison:
    names = sorted(
        {
            x.name
            for screen in screens
            for one in screen.asked
            for x in walk(one)
            if isinstance(x, Series)
        }
        - set(FIELDS)
    )
    blocks = list(market.blocks(sizes.market, sessions))
    columns = [compute(block, names) for block in blocks]
    median = timing.interleaved(
        {
            "deciding": lambda: _decide(screens, blocks, columns),
            "indicators": lambda: [compute(block, names) for block in blocks],
        },
        sizes,
    )
    return Comparison(
        what=f"{len(screens)} screens, {sizes.market:,} symbols",
        sessions=sessions,
        ours=median["deciding"],
        beside=f"their {len(names)} columns",
        theirs=median["indicators"],
        most=1.0,
    )


def _decide(
    screens: Sequence[Screen],
    blocks: Sequence[BarBlock],
    columns: Sequence[dict[str, FloatArray]],
) -> list[list[str]]:
    """Return the outcomes of each screen, by the two steps of a scan."""
    asked = []
    for block, known in zip(blocks, columns, strict=True):
        asked += input_rows(Scope(block=block, compute=compute, columns=known), screens)
    rows = Rows(
        symbols=[symbol for block in blocks for symbol in block.symbols],
        bars=np.concatenate([block.counts for block in blocks]).tolist(),
        known=inputs_as_values(asked, inputs_of(tuple(screens))),
    )
    return [verdict(screen, rows).outcomes for screen in screens]
