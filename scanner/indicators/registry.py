"""The registry: each family's indicators come in, named columns go to screens and `compute`.

A column name is a function name and its numbers, as in `sma_35` or `bbands_upper_20_2.5`; any
numbers will do, not only those of the default columns.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Sequence
from typing import Any, Final

from scanner.errors import ConfigError
from scanner.indicators import momentum, others, patterns, trend, volatility, volume
from scanner.indicators.indicator import Column, Indicator, Number, Output

#: Every indicator by its function name.
INDICATORS: Final[dict[str, Indicator[Any]]] = {
    **trend.INDICATORS,
    **momentum.INDICATORS,
    **volatility.INDICATORS,
    **volume.INDICATORS,
    **others.INDICATORS,
    **patterns.INDICATORS,
}

#: The columns of a scan that names none.
DEFAULT_COLUMNS: Final[tuple[str, ...]] = (
    "rsi_14",
    "macd_12_26",
    "macd_signal_12_26_9",
    "macd_diff_12_26_9",
    "bbands_upper_20_2",
    "bbands_middle_20_2",
    "bbands_lower_20_2",
    "bbands_width_20_2",
    "bbands_percent_20_2",
    "atr_14",
    "adx_14",
    "plus_di_14",
    "minus_di_14",
    "sma_20",
    "sma_50",
    "sma_200",
    "ema_12",
    "ema_20",
    "ema_26",
    "ema_50",
    "stoch_14_3",
    "stoch_signal_14_3",
    "obv",
    "mfi_14",
    "cci_20",
    "williams_r_14",
    "roc_12",
    "relative_volume_20",
    "distance_high_20",
    "distance_low_20",
    "distance_high_252",
    "distance_low_252",
    "realized_volatility_20",
    "dollar_volume_20",
    "return_1",
    "return_5",
    "return_21",
    "momentum_252_21",
    "distance_sma_200",
)

#: Largest number in a column name: no history is longer, and no name can ask for more work.
LARGEST: Final = 9999

_STEMS: Final[dict[str, tuple[Indicator[Any], int]]] = {
    output.stem: (indicator, position)
    for indicator in INDICATORS.values()
    for position, output in enumerate(indicator.outputs)
}

_NAME: Final = re.compile(
    r"([a-z]+(?:_[a-z]+)*)((?:_(?:0|[1-9][0-9]{0,3})(?:\.[0-9]{0,3}[1-9])?)*)", re.ASCII
)


@functools.lru_cache(maxsize=1024)
def column(name: str) -> Column:
    """Return the column called `name`; ConfigError tells what is wrong and what comes near."""
    match = _NAME.fullmatch(name)
    stem, numbers = match.groups() if match else ("", "")
    if stem not in _STEMS:
        raise ConfigError(f"unknown column {name!r}: {_nearest(name)}")
    indicator, position = _STEMS[stem]
    output = indicator.outputs[position]
    values = tuple(_number(number) for number in numbers.split("_")[1:])
    params = _params(name, indicator, output, values)
    return Column(
        name=name,
        indicator=indicator,
        params=params,
        output=position,
        ta=output.ta.get(values),
        unit=output.unit,
        bars=output.bars(params),
        scale=output.scale,
    )


def is_column(name: str) -> bool:
    """Return whether `name` is a column's, with its numbers."""
    try:
        return bool(column(name))
    except ConfigError:
        return False


def called(stem: str, numbers: Sequence[Number]) -> str:
    """Return the name of the column that `stem(numbers)` asks for, as in `macd(8, 17)`.

    Numbers that are left out at the end are the usual ones. KeyError: there is no such stem.
    ConfigError: the numbers do not fit.
    """
    indicator, position = _STEMS[stem]
    output = indicator.outputs[position]
    usual = indicator.params()
    named = (*output.arguments, *output.optional)
    given = [*numbers, *(getattr(usual, field) for field in output.arguments[len(numbers) :])]
    while len(output.arguments) < len(given) <= len(named) and given[-1] == getattr(
        usual, named[len(given) - 1]
    ):
        given.pop()
    return column(_name(output, given)).name


def written(stem: str) -> str:
    """Return how a column is asked for with all its usual numbers, as in `macd(12, 26)`."""
    indicator, position = _STEMS[stem]
    usual = indicator.params()
    numbers = (getattr(usual, field) for field in indicator.outputs[position].arguments)
    return f"{stem}({', '.join(f'{number:g}' for number in numbers)})"


def stems() -> tuple[str, ...]:
    """Return the names of columns without their numbers."""
    return tuple(_STEMS)


def settled_bars(name: str) -> int:
    """Return the bars after which more history does not change the values of a column.

    Of a column that no number of bars settles, those of its first value.
    """
    found = column(name)
    return max(found.bars, found.memory.bars or 0)


@functools.lru_cache(maxsize=4096)
def warming(columns: tuple[str, ...], bars: int) -> tuple[str, ...]:
    """Return which of `columns` more bars would change in a symbol of `bars` bars."""
    return tuple(name for name in columns if column(name).standing(bars) == "warming")


def examples() -> tuple[str, ...]:
    """Return one column name for each thing that can be computed, with its usual numbers."""
    return tuple(
        _example(indicator, output)
        for indicator in INDICATORS.values()
        for output in indicator.outputs
    )


def catalogue() -> list[Column]:
    """Return the default columns, those of `ta`, and one of everything else, by indicator."""
    names = [*DEFAULT_COLUMNS, *examples()]
    for indicator in INDICATORS.values():
        for output in indicator.outputs:
            names += [_name(output, numbers) for numbers in output.ta]
    order = {name: place for place, name in enumerate(INDICATORS)}
    columns = [column(name) for name in dict.fromkeys(names)]
    return sorted(columns, key=lambda one: (order[one.indicator.name], one.output, one.bars))


def _number(text: str) -> Number:
    return float(text) if "." in text else int(text)


def _example(indicator: Indicator[Any], output: Output[Any]) -> str:
    usual = indicator.params()
    return _name(output, [getattr(usual, field) for field in output.arguments])


def _name(output: Output[Any], numbers: Sequence[Number]) -> str:
    return "_".join([output.stem, *(f"{number:g}" for number in numbers)])


def _nearest(name: str) -> str:
    known = dict.fromkeys((*DEFAULT_COLUMNS, *examples()))
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if not near:
        return f"expected a function name and its numbers, as in {DEFAULT_COLUMNS[0]}"
    return f"nearest known: {', '.join(near)}"


def _params(
    name: str, indicator: Indicator[Any], output: Output[Any], values: tuple[Number, ...]
) -> Any:
    fields = (*output.arguments, *output.optional)
    if not len(output.arguments) <= len(values) <= len(fields):
        raise ConfigError(
            f"column {name!r}: expected {_expected(output)}, got {len(values)}; "
            f"for example {_example(indicator, output)}"
        )
    usual = indicator.params()
    given = dict(zip(fields, values, strict=False))
    for field, value in given.items():
        _check_number(name, indicator, getattr(usual, field), value)
    if len(values) > len(output.arguments) and values[-1] == getattr(
        usual, fields[len(values) - 1]
    ):
        shorter = name.rpartition("_")[0]
        raise ConfigError(f"column {name!r}: {values[-1]:g} is its default: say {shorter}")
    return indicator.params(**given)


def _expected(output: Output[Any]) -> str:
    wanted = output.arguments
    count = {0: "no numbers", 1: "1 number"}.get(len(wanted), f"{len(wanted)} numbers")
    expected = f"{count} ({', '.join(wanted)})" if wanted else count
    return f"{expected} and perhaps {', '.join(output.optional)}" if output.optional else expected


def _check_number(name: str, indicator: Indicator[Any], usual: Number, value: Number) -> None:
    if isinstance(usual, int) and not isinstance(value, int):
        raise ConfigError(f"column {name!r}: expected a whole number, got {value:g}")
    if isinstance(usual, int) and value < indicator.least:
        raise ConfigError(
            f"column {name!r}: expected numbers from {indicator.least} to {LARGEST}, got {value}"
        )
    if value <= 0 and not isinstance(usual, int):
        raise ConfigError(f"column {name!r}: expected a number above 0, got {value:g}")
