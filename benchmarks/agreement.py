"""Whether two libraries compute the same: last values of some symbols come in, or it is an error.

What is not the same number is not compared: a faster wrong answer proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

#: Share of the symbols whose last values have to be the same.
MOST = 0.9
#: Largest relative gap of values that are the same; recursions that began otherwise have met.
GAP = 1e-6


class Disagreement(AssertionError):
    """Raised when a benchmark would compare different things."""


def check(what: str, ours: npt.ArrayLike, theirs: Sequence[float] | npt.ArrayLike) -> None:
    """Raise Disagreement unless most of the values are the same; NaN is NaN."""
    same = np.isclose(
        np.asarray(ours, dtype=np.float64),
        np.asarray(theirs, dtype=np.float64),
        rtol=GAP,
        atol=1e-9,
        equal_nan=True,
    )
    if same.mean() < MOST:
        raise Disagreement(
            f"{what}: expected {MOST:.0%} of the symbols within {GAP:g}, got {same.mean():.0%}"
        )
