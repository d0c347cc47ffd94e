"""The reference engine: the same columns as the kernels, by `ta`, symbol by symbol."""

from __future__ import annotations

import numpy as np
import pytest
from indicator_samples import USUAL_COLUMNS, random_series, rows_of

from scanner.bars.block import stack
from scanner.errors import ConfigError
from scanner.indicators.compute import Engine, KernelEngine
from scanner.indicators.reference import TaEngine
from scanner.indicators.reference.explain import differs
from scanner.indicators.registry import INDICATORS, column

LENGTHS = (0, 1, 2, 13, 14, 15, 16, 27, 28, 29, 34, 200, 260)


@pytest.fixture(scope="module")
def block():
    """Symbols on both sides of each warm-up."""
    return stack([random_series(seed, bars) for seed, bars in enumerate(LENGTHS, start=300)])


def test_both_engines_agree(block):
    """On ordinary bars of any length the engines agree in every column, warm-up included."""
    engines: tuple[Engine, ...] = (KernelEngine(), TaEngine())
    kernels, ta = (engine.compute(block, USUAL_COLUMNS) for engine in engines)
    assert list(kernels) == list(ta) == list(USUAL_COLUMNS)
    closes = rows_of(block, block.close)
    for name in USUAL_COLUMNS:
        assert ta[name].shape == block.close.shape
        pairs = zip(closes, rows_of(block, kernels[name]), rows_of(block, ta[name]), strict=True)
        for close, ours, theirs in pairs:
            assert not differs(column(name), close, ours, theirs).any(), name


@pytest.mark.parametrize("bars", [0, 1, 13, 14])
def test_short_blocks_are_nan_and_no_error(bars):
    """Series that are too short for ta give NaN in blocks that are no wider."""
    out = TaEngine().compute(stack([random_series(1, bars)]), ["adx_14", "plus_di_14", "atr_20"])
    assert all(array.shape == (1, bars) and np.isnan(array).all() for array in out.values())


def test_the_engine_refuses_unknown_columns(block):
    """The reference engine knows the same names as the kernels."""
    engine = TaEngine()
    assert engine.name == "ta"
    with pytest.raises(ConfigError):
        engine.compute(block, ["rsj_14"])


def test_every_indicator_has_an_oracle():
    """No indicator goes without a second opinion."""
    block = stack([random_series(2, 3)])
    assert {column(name).indicator.name for name in USUAL_COLUMNS} == set(INDICATORS)
    assert len(TaEngine().compute(block, USUAL_COLUMNS)) == len(USUAL_COLUMNS)
