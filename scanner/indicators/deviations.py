"""Where the kernels differ from `ta` on purpose: what a column is called in, why it differs out.

Data, read by the tests and by the documentation: a column that is not listed equals `ta`, or the
formula in pandas, over the whole series, and a listed one differs in just the listed ways.
"""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal[
    "warm-up zeros",
    "partial windows",
    "first closes",
    "look-ahead",
    "rolling std rounding",
    "rolling sum rounding",
    "flat window",
    "on the band",
    "zero denominator",
]

#: What each kind is, in one sentence.
KINDS: Final[dict[Kind, str]] = {
    "warm-up zeros": "ta writes 0.0 where it has no value yet; here a missing value is NaN.",
    "partial windows": "ta starts before all of its windows are full, with what there is; here "
    "there is no value before.",
    "first closes": "ta shows the first two closes, from which it starts, as stops; here they "
    "are NaN.",
    "look-ahead": "ta fills what it shifts in with the mean of the whole series, later bars "
    "included, so that its first values change with every new bar; here they are NaN.",
    "rolling std rounding": "pandas updates its variance bar by bar, and what a large bar leaves "
    "behind stays after it has left the window; here each window stands for itself.",
    "rolling sum rounding": "pandas adds and subtracts bar by bar, and after a bar of a volume "
    "many million times larger its rounding stays; here each window stands for itself.",
    "flat window": "Prices or ranges that do not move, but for their rounding, make a place in a "
    "range of width 0, which is NaN; in ta the rounding of means and sums decides between NaN and "
    "a number.",
    "on the band": "Where the close is on the band, the band's rounding decides in ta whether it "
    "is outside; here it is not.",
    "zero denominator": "ta divides by 0 and shows an infinite value; here it is NaN, and in sums "
    "of flow it adds nothing.",
}

_CHANNEL_FLAGS: Final[tuple[Kind, ...]] = ("warm-up zeros",)
_ROUNDED: Final[tuple[Kind, ...]] = ("rolling std rounding",)

#: Column name without its numbers -> the ways in which it differs.
DEVIATIONS: Final[dict[str, tuple[Kind, ...]]] = {
    "atr": ("warm-up zeros",),
    "adx": ("warm-up zeros",),
    "plus_di": ("warm-up zeros",),
    "minus_di": ("warm-up zeros",),
    "psar": ("first closes",),
    "psar_up_turn": ("warm-up zeros",),
    "psar_down_turn": ("warm-up zeros",),
    "trix": ("look-ahead",),
    "dpo": ("look-ahead",),
    "kst": ("look-ahead",),
    "kst_signal": ("look-ahead",),
    "kst_diff": ("look-ahead",),
    "ichimoku_b": ("partial windows",),
    "ichimoku_visual_a": ("look-ahead",),
    "ichimoku_visual_b": ("look-ahead",),
    "cci": ("flat window",),
    "vortex_plus": ("zero denominator",),
    "vortex_minus": ("zero denominator",),
    "stoch_rsi": ("flat window",),
    "stoch_rsi_k": ("flat window",),
    "stoch_rsi_d": ("flat window",),
    "cmf": ("rolling sum rounding", "zero denominator"),
    "vwap": ("rolling sum rounding",),
    "bbands_upper": _ROUNDED,
    "bbands_lower": _ROUNDED,
    "bbands_width": _ROUNDED,
    "bbands_percent": _ROUNDED,
    "bbands_above": (*_CHANNEL_FLAGS, "on the band"),
    "bbands_below": (*_CHANNEL_FLAGS, "on the band"),
    "keltner_upper": ("partial windows",),
    "keltner_lower": ("partial windows",),
    "keltner_percent": ("partial windows", "flat window"),
    "keltner_above": ("partial windows", "on the band"),
    "keltner_below": ("partial windows", "on the band"),
    "keltner_atr_upper": ("partial windows",),
    "keltner_atr_middle": ("partial windows",),
    "keltner_atr_lower": ("partial windows",),
    "keltner_atr_width": ("partial windows",),
    "keltner_atr_percent": ("partial windows", "flat window"),
    "keltner_atr_above": (*_CHANNEL_FLAGS, "on the band"),
    "keltner_atr_below": (*_CHANNEL_FLAGS, "on the band"),
    "donchian_percent": ("zero denominator",),
    "stoch": ("zero denominator",),
    "williams_r": ("zero denominator",),
    "uo": ("zero denominator",),
    "pvo": ("zero denominator",),
    "pvo_diff": ("zero denominator",),
    "adi": ("zero denominator",),
    "eom": ("zero denominator",),
}
