"""The patterns: what each is in TA-Lib, how far it looks back and what it takes and gives.

Data, by the name of the column; the kernel, the reference engine and the tests read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from scanner.indicators.indicator import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A pattern of which nothing can be chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shallow:
    """Parameters of a pattern whose last bar goes some way into the body of an earlier one."""

    #: Part of that body.
    penetration: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Deep:
    """As Shallow, with half of the body where no number is given."""

    #: Part of that body.
    penetration: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A candlestick pattern of TA-Lib."""

    #: Its function in TA-Lib.
    function: str
    #: Bars before the one that is judged; no older bar counts.
    lookback: int
    params: type[Any] = Fixed
    unit: Unit = "signal -100, 0 or 100"


#: 80 where a body ends just where the other one does.
_TOUCHING: Final[Unit] = "signal -100, -80, 0, 80 or 100"
#: 200 where one of the three bars after the pattern confirms it.
_CONFIRMED: Final[Unit] = "signal -200, -100, 0, 100 or 200"

#: Column name without its numbers -> the pattern.
PATTERNS: Final[dict[str, Pattern]] = {
    "cdl_two_crows": Pattern(function="CDL2CROWS", lookback=12),
    "cdl_three_black_crows": Pattern(function="CDL3BLACKCROWS", lookback=13),
    "cdl_three_inside": Pattern(function="CDL3INSIDE", lookback=12),
    "cdl_three_line_strike": Pattern(function="CDL3LINESTRIKE", lookback=8),
    "cdl_three_outside": Pattern(function="CDL3OUTSIDE", lookback=3),
    "cdl_three_stars_in_the_south": Pattern(function="CDL3STARSINSOUTH", lookback=12),
    "cdl_three_white_soldiers": Pattern(function="CDL3WHITESOLDIERS", lookback=12),
    "cdl_abandoned_baby": Pattern(function="CDLABANDONEDBABY", lookback=12, params=Shallow),
    "cdl_advance_block": Pattern(function="CDLADVANCEBLOCK", lookback=12),
    "cdl_belt_hold": Pattern(function="CDLBELTHOLD", lookback=10),
    "cdl_breakaway": Pattern(function="CDLBREAKAWAY", lookback=14),
    "cdl_closing_marubozu": Pattern(function="CDLCLOSINGMARUBOZU", lookback=10),
    "cdl_concealing_baby_swallow": Pattern(function="CDLCONCEALBABYSWALL", lookback=13),
    "cdl_counterattack": Pattern(function="CDLCOUNTERATTACK", lookback=11),
    "cdl_dark_cloud_cover": Pattern(function="CDLDARKCLOUDCOVER", lookback=11, params=Deep),
    "cdl_doji": Pattern(function="CDLDOJI", lookback=10),
    "cdl_doji_star": Pattern(function="CDLDOJISTAR", lookback=11),
    "cdl_dragonfly_doji": Pattern(function="CDLDRAGONFLYDOJI", lookback=10),
    "cdl_engulfing": Pattern(function="CDLENGULFING", lookback=2, unit=_TOUCHING),
    "cdl_evening_doji_star": Pattern(function="CDLEVENINGDOJISTAR", lookback=12, params=Shallow),
    "cdl_evening_star": Pattern(function="CDLEVENINGSTAR", lookback=12, params=Shallow),
    "cdl_gap_side_by_side_white": Pattern(function="CDLGAPSIDESIDEWHITE", lookback=7),
    "cdl_gravestone_doji": Pattern(function="CDLGRAVESTONEDOJI", lookback=10),
    "cdl_hammer": Pattern(function="CDLHAMMER", lookback=11),
    "cdl_hanging_man": Pattern(function="CDLHANGINGMAN", lookback=11),
    "cdl_harami": Pattern(function="CDLHARAMI", lookback=11, unit=_TOUCHING),
    "cdl_harami_cross": Pattern(function="CDLHARAMICROSS", lookback=11, unit=_TOUCHING),
    "cdl_high_wave": Pattern(function="CDLHIGHWAVE", lookback=10),
    "cdl_hikkake": Pattern(function="CDLHIKKAKE", lookback=5, unit=_CONFIRMED),
    "cdl_modified_hikkake": Pattern(function="CDLHIKKAKEMOD", lookback=10, unit=_CONFIRMED),
    "cdl_homing_pigeon": Pattern(function="CDLHOMINGPIGEON", lookback=11),
    "cdl_identical_three_crows": Pattern(function="CDLIDENTICAL3CROWS", lookback=12),
    "cdl_in_neck": Pattern(function="CDLINNECK", lookback=11),
    "cdl_inverted_hammer": Pattern(function="CDLINVERTEDHAMMER", lookback=11),
    "cdl_kicking": Pattern(function="CDLKICKING", lookback=11),
    "cdl_kicking_by_length": Pattern(function="CDLKICKINGBYLENGTH", lookback=11),
    "cdl_ladder_bottom": Pattern(function="CDLLADDERBOTTOM", lookback=14),
    "cdl_long_legged_doji": Pattern(function="CDLLONGLEGGEDDOJI", lookback=10),
    "cdl_long_line": Pattern(function="CDLLONGLINE", lookback=10),
    "cdl_marubozu": Pattern(function="CDLMARUBOZU", lookback=10),
    "cdl_matching_low": Pattern(function="CDLMATCHINGLOW", lookback=6),
    "cdl_mat_hold": Pattern(function="CDLMATHOLD", lookback=14, params=Deep),
    "cdl_morning_doji_star": Pattern(function="CDLMORNINGDOJISTAR", lookback=12, params=Shallow),
    "cdl_morning_star": Pattern(function="CDLMORNINGSTAR", lookback=12, params=Shallow),
    "cdl_on_neck": Pattern(function="CDLONNECK", lookback=11),
    "cdl_piercing": Pattern(function="CDLPIERCING", lookback=11),
    "cdl_rickshaw_man": Pattern(function="CDLRICKSHAWMAN", lookback=10),
    "cdl_rising_falling_three_methods": Pattern(function="CDLRISEFALL3METHODS", lookback=14),
    "cdl_separating_lines": Pattern(function="CDLSEPARATINGLINES", lookback=11),
    "cdl_shooting_star": Pattern(function="CDLSHOOTINGSTAR", lookback=11),
    "cdl_short_line": Pattern(function="CDLSHORTLINE", lookback=10),
    "cdl_spinning_top": Pattern(function="CDLSPINNINGTOP", lookback=10),
    "cdl_stalled_pattern": Pattern(function="CDLSTALLEDPATTERN", lookback=12),
    "cdl_stick_sandwich": Pattern(function="CDLSTICKSANDWICH", lookback=7),
    "cdl_takuri": Pattern(function="CDLTAKURI", lookback=10),
    "cdl_tasuki_gap": Pattern(function="CDLTASUKIGAP", lookback=7),
    "cdl_thrusting": Pattern(function="CDLTHRUSTING", lookback=11),
    "cdl_tristar": Pattern(function="CDLTRISTAR", lookback=12),
    "cdl_unique_three_river": Pattern(function="CDLUNIQUE3RIVER", lookback=12),
    "cdl_upside_gap_two_crows": Pattern(function="CDLUPSIDEGAP2CROWS", lookback=12),
    "cdl_gap_three_methods": Pattern(function="CDLXSIDEGAP3METHODS", lookback=2),
}
