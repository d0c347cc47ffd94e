"""What an indicator is: each family fills these types, the registry and `compute` read them.

An Indicator is a kernel with its parameters; an Output is one of the arrays that it returns;
a Column is an Output with its numbers filled in, under the name that screens use.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from scanner.bars.block import BarBlock, FloatArray

P = TypeVar("P")

Unit = Literal[
    "price",
    "percent",
    "percent 0-100",
    "percent -100-0",
    "index",
    "ratio",
    "ratio per year",
    "shares",
    "currency",
]

#: What an error is measured against: the bar's close, 100, 1, or the series' largest value.
Scale = Literal["price", "oscillator", "ratio", "own"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Output(Generic[P]):
    """One of the arrays that a kernel returns."""

    #: Column name without its numbers.
    stem: str
    #: Fields of the parameters whose numbers follow the stem, in this order.
    arguments: tuple[str, ...]
    unit: Unit
    scale: Scale
    #: Bars that the first value needs.
    bars: Callable[[P], int]
    #: Column of `ta.add_all_ta_features` that holds the same numbers, by parameters.
    ta: Mapping[tuple[int, ...], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Indicator(Generic[P]):
    """A kernel, what may be chosen about it, and what it returns."""

    name: str
    #: Frozen dataclass of whole numbers with defaults.
    params: type[P]
    kernel: Callable[[BarBlock, P], tuple[FloatArray, ...]]
    outputs: tuple[Output[P], ...]
    #: Where the formula comes from, in one phrase.
    formula: str
    #: Smallest number that each parameter takes.
    least: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A named array of numbers, one for each symbol and bar."""

    #: Function name and parameters, as in `rsi_14`.
    name: str
    indicator: Indicator[Any]
    params: Any
    #: Position among the arrays of the kernel.
    output: int
    #: Column of `ta.add_all_ta_features` that holds the same numbers, if there is one.
    ta: str | None
    unit: Unit
    #: A value exists where the symbol has at least so many bars.
    bars: int
    scale: Scale

    @property
    def formula(self) -> str:
        """Where the formula comes from, in one phrase."""
        return self.indicator.formula

    @property
    def parameters(self) -> dict[str, int]:
        """The parameters by name, for JSON."""
        return dataclasses.asdict(self.params)
