"""Places among all rows: the last values of all rows come in, ranks and distances go out.

What is unknown counts neither among the others nor itself. `inputs` says which values a rule
needs of each row before all rows are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from scanner.bars.block import FloatArray
from scanner.rules.scope import finite
from scanner.rules.tree import Constant, CrossSection, Expression, Membership, parts, walk


def inputs(expressions: Iterable[Expression]) -> tuple[Expression, ...]:
    """Return the largest parts of `expressions` that a symbol's own bars decide, once each."""
    found: dict[Expression, None] = {}
    for x in expressions:
        _collect(x, found)
    return tuple(found)


def _collect(x: Expression, found: dict[Expression, None]) -> None:
    if isinstance(x, Constant | Membership):
        return
    if not any(isinstance(part, CrossSection | Membership) for part in walk(x)):
        found[x] = None
        return
    for part in parts(x):
        _collect(part, found)


def percentiles(values: FloatArray) -> FloatArray:
    """Return each value's percentile (0 to 1) among those that are not NaN; ties share theirs.

    `values`: (rows,). The lowest of n is 1/n, the highest 1; a tie takes the mean of its ranks.
    """
    result = np.full(values.shape, np.nan)
    present = np.isfinite(values)
    if not present.any():
        return result
    _, inverse, counts = np.unique(values[present], return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    result[present] = ((last - (counts - 1) / 2.0) / present.sum())[inverse]
    return result


def percentiles_in(groups: Sequence[str | None], values: FloatArray) -> FloatArray:
    """Return each value's percentile among those of its group; NaN for a row without a group."""
    result = np.full(values.shape, np.nan)
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        if group is not None:
            members.setdefault(group, []).append(row)
    for rows in members.values():
        result[rows] = percentiles(values[rows])
    return result


def zscores(values: FloatArray) -> FloatArray:
    """Return the distance of each value from the mean, in standard deviations of all of them.

    NaN for all where all are equal.
    """
    present = values[np.isfinite(values)]
    if not present.size or present.min() == present.max():
        return np.full(values.shape, np.nan)
    with np.errstate(all="ignore"):
        return finite((values - present.mean()) / present.std())
