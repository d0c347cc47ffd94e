"""What an indicator is: each family fills these types, the registry and `compute` read them.

An Indicator is a kernel with its parameters; an Output is one of the arrays that it returns;
a Column is an Output with its numbers filled in, under the name that screens use.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from scanner.bars.block import BarBlock, FloatArray
from scanner.indicators.memory import Memory

P = TypeVar("P")

Number = int | float

#: What a kernel returns for each output: numbers, or what makes them if they are asked for.
Made = FloatArray | Callable[[], FloatArray]

Unit = Literal[
    "price",
    "percent",
    "percent 0-100",
    "percent -100-0",
    "percent -100-100",
    "index",
    "ratio",
    "ratio 0-1",
    "ratio -1-1",
    "ratio per year",
    "flag 0 or 1",
    "signal -100, 0 or 100",
    "signal -100, -80, 0, 80 or 100",
    "signal -200, -100, 0, 100 or 200",
    "shares",
    "price x shares",
    "price^2 per share x 1e8",
    "currency",
]

#: What an error is measured against: the bar's close, 100, 1, or the series' largest value.
Scale = Literal["price", "oscillator", "ratio", "own"]

#: What the number of a symbol's bars says about a column's value.
Standing = Literal["insufficient_history", "warming", "settled"]


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
    memory: Callable[[P], Memory]
    #: Fields that may follow these, in this order; a name leaves them out at their defaults.
    optional: tuple[str, ...] = ()
    #: Column of `ta.add_all_ta_features` that holds the same numbers, by parameters.
    ta: Mapping[tuple[Number, ...], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Indicator(Generic[P]):
    """A kernel, what may be chosen about it, and what it returns."""

    name: str
    #: Frozen dataclass of numbers with defaults; those whose default is an int are whole.
    params: type[P]
    kernel: Callable[[BarBlock, P], Sequence[Made]]
    outputs: tuple[Output[P], ...]
    #: Where the formula comes from, in one phrase.
    formula: str
    #: Smallest number that each whole parameter takes; the others are above 0.
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
    def stem(self) -> str:
        """The name without its numbers."""
        stem: str = self.indicator.outputs[self.output].stem
        return stem

    @property
    def formula(self) -> str:
        """Where the formula comes from, in one phrase."""
        return self.indicator.formula

    @property
    def memory(self) -> Memory:
        """What a value depends on."""
        memory: Memory = self.indicator.outputs[self.output].memory(self.params)
        return memory

    @property
    def parameters(self) -> dict[str, Number]:
        """The parameters by name, for JSON."""
        return dataclasses.asdict(self.params)

    def standing(self, bars: int) -> Standing:
        """Return what `bars` bars of a symbol mean for its value.

        `insufficient_history`: too few for a value. `warming`: there is a value, but more bars
        would change it. From then on a missing value is missing by definition: it is unknown.
        """
        if bars < self.bars:
            return "insufficient_history"
        settled = self.memory.bars
        return "warming" if settled is not None and bars < settled else "settled"
