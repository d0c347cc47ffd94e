"""The functions of the scan language beside the indicators, and what each takes."""

from __future__ import annotations

from typing import Final

#: Function -> how it is called. `n`: bars, written out; `x`, `y`: numbers; `c`: a condition.
USAGE: Final = {
    "abs": "abs(x)",
    "min": "min(x, y, ...)",
    "max": "max(x, y, ...)",
    "round": "round(x)",
    "sqrt": "sqrt(x)",
    "log": "log(x)",
    "sign": "sign(x)",
    "if": "if(c, x, y)",
    "coalesce": "coalesce(x, y, ...)",
    "ago": "ago(n, x or c)",
    "within": "within(n, c)",
    "all_of": "all_of(n, c)",
    "count": "count(n, c)",
    "since": "since(c)",
    "highest": "highest(n, x)",
    "lowest": "lowest(n, x)",
    "change": "change(n, x)",
    "slope": "slope(n, x)",
    "crosses_above": "crosses_above(x, y)",
    "crosses_below": "crosses_below(x, y)",
    "tf": 'tf("1w", x or c)',
    "rank": "rank(x)",
    "rank_in": "rank_in(sector, x)",
    "zscore": "zscore(x)",
    "rs": 'rs("SPY", n)',
    "beta": 'beta("SPY", n)',
    "corr": 'corr("SPY", n)',
}
