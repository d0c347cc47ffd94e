# loops.c: each function fills arrays of (bars, symbols) numbers in C order. ValueError: one does
# not hold that many. The interpreter is not locked meanwhile.

from scanner.bars.block import FloatArray

LANES: int

def level_mean(
    x: FloatArray, out: FloatArray, bars: int, symbols: int, weight: float, least: float, /
) -> None: ...
def flow_mean(
    x: FloatArray, out: FloatArray, bars: int, symbols: int, weight: float, least: float, /
) -> None: ...
def wilder_mean(
    x: FloatArray, out: FloatArray, bars: int, symbols: int, weight: float, window: float, /
) -> None: ...
def adaptive_mean(
    x: FloatArray, weights: FloatArray, out: FloatArray, bars: int, symbols: int, least: float, /
) -> None: ...
def mean_over_gaps(
    x: FloatArray,
    out: FloatArray,
    bars: int,
    symbols: int,
    weight: float,
    least: float,
    irregular: bool,
    /,
) -> None: ...
def running_total(x: FloatArray, out: FloatArray, bars: int, symbols: int, /) -> None: ...
def mean_deviation(
    x: FloatArray, means: FloatArray, out: FloatArray, bars: int, symbols: int, window: int, /
) -> None: ...
def rolling_extreme(
    x: FloatArray,
    out: FloatArray,
    scratch: FloatArray,
    bars: int,
    symbols: int,
    window: int,
    sign: float,
    /,
) -> None: ...
def rolling_sum(
    x: FloatArray,
    out: FloatArray,
    scratch: FloatArray,
    bars: int,
    symbols: int,
    window: int,
    as_mean: float,
    /,
) -> None: ...
def rolling_age_of_max(
    x: FloatArray,
    out: FloatArray,
    scratch: FloatArray,
    bars: int,
    symbols: int,
    window: int,
    mode: float,
    /,
) -> None: ...
def parabolic_stop(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    stops: FloatArray,
    sides: FloatArray,
    bars: int,
    symbols: int,
    step: float,
    largest: float,
    /,
) -> None: ...
