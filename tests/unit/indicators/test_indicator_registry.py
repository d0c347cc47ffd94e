"""Names of columns: what they stand for, and what a wrong one is told."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import pytest
import ta
from indicator_samples import SMALL_COLUMNS, TA_COLUMNS, random_series

from scanner.bars.block import FIELDS, stack
from scanner.errors import ConfigError
from scanner.indicators.compute import compute
from scanner.indicators.reference.explain import differs
from scanner.indicators.registry import DEFAULT_COLUMNS, INDICATORS, column, examples
from scanner.indicators.volatility.bbands import Bbands


def stem(name):
    """Return the stem of the column called `name`."""
    one = column(name)
    return one.indicator.outputs[one.output].stem


def test_a_name_carries_its_parameters():
    """Numbers in a name are parameters in the order of its function; the rest is the default."""
    one = column("macd_signal_8_17_5")
    assert one.parameters == {"fast": 8, "slow": 17, "signal": 5}
    assert one.bars == 21
    assert column("macd_8_17").parameters == {"fast": 8, "slow": 17, "signal": 9}
    assert column("sma_35").bars == 35
    assert column("obv").parameters == {}


def test_numbers_may_have_decimals_and_be_left_out():
    """Where a parameter is no whole number its decimals stand in the name; defaults need not."""
    assert column("bbands_upper_20_2.5").parameters == {"window": 20, "deviations": 2.5}
    assert column("bbands_upper_20_2").params == Bbands(window=20, deviations=2.0)
    assert column("donchian_upper_20").parameters == {"window": 20, "offset": 0}
    assert column("donchian_upper_20_1").bars == 21
    assert column("uo_7_14_28_3").parameters["short_weight"] == 3


def test_default_columns_are_their_own_names():
    """Each default column parses, keeps its name, and is listed once."""
    assert [column(name).name for name in DEFAULT_COLUMNS] == list(DEFAULT_COLUMNS)
    assert len(set(DEFAULT_COLUMNS)) == len(DEFAULT_COLUMNS)


@pytest.mark.parametrize("names", [SMALL_COLUMNS, examples()])
def test_every_output_is_covered(names):
    """Examples and the small columns of the tests each cover all of the registry."""
    every = {output.stem for one in INDICATORS.values() for output in one.outputs}
    assert {stem(name) for name in names} == every


def test_indicators_are_registered_under_their_names():
    """The key of an indicator is its name, and no two outputs share a stem."""
    assert all(key == one.name for key, one in INDICATORS.items())
    stems = [output.stem for one in INDICATORS.values() for output in one.outputs]
    assert len(set(stems)) == len(stems)


def test_parameters_are_whole_numbers_for_json():
    """Parameters of every column are plain numbers of a frozen object."""
    for name in DEFAULT_COLUMNS:
        one = column(name)
        assert json.loads(json.dumps(one.parameters)) == one.parameters
        assert hash(one.params) == hash(column(name).params)
        assert dataclasses.is_dataclass(one.params)
        assert one.formula


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rsj_14", "unknown column 'rsj_14'; nearest known: rsi_14"),
        ("SMA_20", "unknown column 'SMA_20'; nearest known: sma_20"),
        ("plusdi_14", "plus_di_14"),
        ("zzzzzz", "expected a function name and its numbers, as in rsi_14"),
        ("", "expected a function name"),
        ("sma_020", "unknown column 'sma_020'; nearest known: sma_20"),
        ("sma_10000", "unknown column 'sma_10000'"),
        ("sma_20\n", "unknown column"),
        ("sma_٣", "unknown column"),
        ("rsi", "expected 1 number (window), got 0; for example rsi_14"),
        ("macd_12_26_9", "expected 2 numbers (fast, slow), got 3; for example macd_12_26"),
        ("obv_3", "expected no numbers, got 1; for example obv"),
        ("cci_1", "expected numbers from 2 to 9999, got 1"),
        ("sma_2.5", "expected a whole number, got 2.5"),
        ("sma_20.0", "unknown column 'sma_20.0'"),
        ("psar_0_0.2", "expected a number above 0, got 0"),
        ("uo_7_14", "expected 3 numbers (short, middle, long) and perhaps short_weight"),
        ("cci_20_0.015", "0.015 is its default: say cci_20"),
        ("donchian_upper_20_0", "expected numbers from 1 to 9999, got 0"),
    ],
)
def test_a_wrong_name_is_told_what_comes_near(name, message):
    """A name that is no column is a ConfigError that says what would be one."""
    with pytest.raises(ConfigError) as caught:
        column(name)
    assert message.replace("; nearest", ": nearest") in str(caught.value)


def test_columns_of_ta_hold_the_same_numbers():
    """Each column that `ta` adds has one of ours with the same numbers from `bars` on."""
    block = stack([random_series(11, 300)])
    frame = pd.DataFrame({field: getattr(block, field)[0] for field in FIELDS})
    theirs = ta.add_all_ta_features(frame, *FIELDS)
    assert {column(name).ta for name in TA_COLUMNS} == set(theirs.columns) - set(FIELDS)
    assert len(TA_COLUMNS) == 86
    for name, array in compute(block, TA_COLUMNS).items():
        asked = column(name)
        expected = theirs[asked.ta].to_numpy(dtype=float).copy()
        expected[: asked.bars - 1] = float("nan")
        assert not differs(asked, block.close[0], array[0], expected).any(), name
