"""The score: columns of all rows come in, percentile ranks weighted by shares go out.

A component's percentile is taken among the rows that have it. A row that lacks a component
loses its share, and the other shares are scaled up; nothing replaces what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from scanner.bars.block import FloatArray
from scanner.rules.cross_section import percentiles

#: Component -> the column that it ranks, higher is better.
COMPONENTS: Final[Mapping[str, str]] = {
    "momentum": "momentum_252_21",
    "trend": "distance_sma_200",
    "relative_volume": "relative_volume_20",
    "high": "distance_high_252",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The scores of all rows."""

    #: Names of the components, in the order of `points`.
    components: tuple[str, ...]
    #: (rows,) 0 to 100, NaN where a row has no component at all.
    total: FloatArray
    #: (rows, components) points that each component adds to the total, NaN where it is missing.
    points: FloatArray


def score(columns: Mapping[str, FloatArray], weights: Mapping[str, float]) -> Scores:
    """Return the scores of rows whose component columns are `columns`, each (rows,)."""
    names = tuple(name for name in COMPONENTS if weights.get(name, 0.0) > 0.0)
    ranks = np.stack([percentiles(columns[COMPONENTS[name]]) for name in names], axis=1)
    shares = np.array([weights[name] for name in names])
    used = (np.isfinite(ranks) * shares).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        points = 100.0 * ranks * shares / used
    total = np.where(used[:, 0] > 0.0, np.nansum(points, axis=1), np.nan)
    return Scores(components=names, total=total, points=points)
