"""Rules of all rows together: what each block knew comes in, what only all decide goes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from scanner.bars.block import FIELDS, BarBlock
from scanner.rules.evaluate import evaluate
from scanner.rules.scope import Scope, Value
from scanner.rules.tree import Expression
from scanner.rules.truth import Truth


def joined(blocks: Sequence[Mapping[Expression, Value]]) -> dict[Expression, Value]:
    """Return the values of all blocks one under the other; each holds the same expressions."""
    return {x: _under_one_another([block[x] for block in blocks]) for x in blocks[0]}


def settled(
    symbols: Sequence[str],
    known: Mapping[Expression, Value],
    expressions: Iterable[Expression],
    texts: Mapping[str, Sequence[str | None]],
) -> dict[Expression, Value]:
    """Return the last value of each of `expressions`, (rows, 1), by the `inputs` that are known.

    `texts`: `sector` and others -> the text of each of `symbols`.
    """
    rows = len(symbols)
    # A bar each, of which nothing is asked: what is, is known.
    bare = BarBlock(
        symbols=tuple(symbols),
        counts=np.ones(rows, dtype=np.int32),
        sessions=np.zeros((rows, 1), dtype=np.int32),
        values=np.zeros((len(FIELDS), rows, 1)),
    )
    scope = Scope(block=bare, compute=lambda _block, _names: {}, texts=texts)
    return evaluate(scope, expressions, given=known)


def _under_one_another(values: Sequence[Value]) -> Value:
    truths = [one for one in values if isinstance(one, Truth)]
    if truths:
        return Truth(
            true=np.concatenate([one.true for one in truths]),
            false=np.concatenate([one.false for one in truths]),
        )
    return np.concatenate([one for one in values if not isinstance(one, Truth)])
