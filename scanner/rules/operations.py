"""What each part of the tree computes: a run of `evaluate.py` and a part come in, values go out.

Every function returns the last `bars` values of its part, (symbols, bars).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scanner.bars.block import FIELDS
from scanner.rules import cross_section, temporal
from scanner.rules.arithmetic import ARITHMETIC
from scanner.rules.relative import RELATIVE, aligned
from scanner.rules.scope import Value, finite
from scanner.rules.tree import (
    Ago,
    Arithmetic,
    Choice,
    Comparison,
    Constant,
    Count,
    CrossSection,
    Expression,
    Held,
    Known,
    Logic,
    Membership,
    OnTimeframe,
    Relative,
    Rolling,
    Series,
    Since,
    back,
    is_condition,
)
from scanner.rules.truth import Truth, both, compared, denied, either

if TYPE_CHECKING:
    from scanner.rules.evaluate import Evaluation


def _constant(run: Evaluation, x: Constant, bars: int) -> Value:
    value = np.broadcast_to(x.value, (run.symbols, bars))
    present = run.present(bars)
    return value if present is None else np.where(present, value, np.nan)


def _series(run: Evaluation, x: Series, bars: int) -> Value:
    block = run.scope.block
    known = block.values[FIELDS.index(x.name)] if x.name in FIELDS else run.columns[x.name]
    return run.cut(known, bars)


def _arithmetic(run: Evaluation, x: Arithmetic, bars: int) -> Value:
    made = ARITHMETIC[x.op](*run.all_last(x.args, bars))
    return finite(made)


def _choice(run: Evaluation, x: Choice, bars: int) -> Value:
    condition = run.last(x.condition, bars)
    chosen = np.where(condition.true, run.last(x.then, bars), run.last(x.other, bars))
    return np.where(condition.known, chosen, np.nan)


def _comparison(run: Evaluation, x: Comparison, bars: int) -> Value:
    return compared(x.op, run.last(x.left, bars), run.last(x.right, bars))


def _membership(run: Evaluation, x: Membership, bars: int) -> Value:
    texts = run.texts(x.field)
    true = np.array([text in x.values for text in texts], dtype=np.bool_)
    false = ~true & np.array([text is not None for text in texts], dtype=np.bool_)
    shape = (run.symbols, bars)
    return Truth(
        true=np.broadcast_to(true[:, np.newaxis], shape),
        false=np.broadcast_to(false[:, np.newaxis], shape),
    )


def _logic(run: Evaluation, x: Logic, bars: int) -> Value:
    args = run.all_last(x.args, bars)
    if x.op == "not":
        return denied(args[0])
    return both(args) if x.op == "and" else either(args)


def _known(run: Evaluation, x: Known, bars: int) -> Value:
    value = run.last(x.x, bars)
    known = value.known if isinstance(value, Truth) else ~np.isnan(value)
    present = run.present(bars)
    return Truth(true=known, false=~known if present is None else ~known & present)


def _ago(run: Evaluation, x: Ago, bars: int) -> Value:
    value = run.last(x.x, bars + x.bars)
    if isinstance(value, Truth):
        return Truth(true=value.true[:, :bars], false=value.false[:, :bars])
    earlier: Value = value[:, :bars]
    return earlier


def _looking_back(run: Evaluation, x: Held | Count | Rolling, bars: int) -> Value:
    op = "count" if isinstance(x, Count) else x.op
    made: Value = getattr(temporal, op)(run.last(x.x, bars + (back(x) or 0)), x.bars)
    return made if isinstance(made, Truth) else finite(made)


def _since(run: Evaluation, x: Since, bars: int) -> Value:
    made = temporal.since(run.last(x.x, max(run.width, bars)))
    return made[:, made.shape[1] - bars :]


def _on_timeframe(run: Evaluation, x: OnTimeframe, bars: int) -> Value:
    values = [run.looks.at(x, lag) for lag in reversed(range(bars))]
    if is_condition(x.x):
        return Truth(
            true=np.hstack([one.true for one in values]),
            false=np.hstack([one.false for one in values]),
        )
    return np.hstack(values)


def _relative(run: Evaluation, x: Relative, bars: int) -> Value:
    series = run.scope.benchmarks.get(x.benchmark)
    if series is None:
        return np.full((run.symbols, bars), np.nan)
    block = run.scope.block
    close = run.cut(block.close, bars + x.bars)
    theirs = run.cut(aligned(series, block.sessions), bars + x.bars)
    made = RELATIVE[x.op](close, theirs, x.bars)
    return finite(made)


def _cross_section(run: Evaluation, x: CrossSection, bars: int) -> Value:
    values = run.last(x.x, 1)[:, 0]
    if x.op == "rank_in":
        placed = cross_section.percentiles_in(run.texts(x.by), values)
    else:
        placed = _PLACES[x.op](values)
    return np.broadcast_to(placed[:, np.newaxis], (run.symbols, bars))


_PLACES: Final = {"rank": cross_section.percentiles, "zscore": cross_section.zscores}

#: Part of the tree -> what computes it.
OPERATIONS: Final[Mapping[type[Expression], Callable[[Evaluation, Any, int], Value]]] = {
    Constant: _constant,
    Series: _series,
    Arithmetic: _arithmetic,
    Choice: _choice,
    Comparison: _comparison,
    Membership: _membership,
    Logic: _logic,
    Known: _known,
    Ago: _ago,
    Held: _looking_back,
    Count: _looking_back,
    Rolling: _looking_back,
    Since: _since,
    OnTimeframe: _on_timeframe,
    Relative: _relative,
    CrossSection: _cross_section,
}
