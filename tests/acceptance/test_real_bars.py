"""Real bars, 400 days, through files and over HTTP: ledger, rows, and `ta` computed apart."""

from __future__ import annotations

import datetime as dt
import warnings

import numpy as np
import pyarrow.parquet as pq
import pytest
import ta
from process_fixtures import running_simulator
from stack_fixtures import AS_OF, REAL_BARS, environment, exported, scan_json, stack_up

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(not REAL_BARS.is_file(), reason="the real bars are not beside the project"),
]


@pytest.fixture(scope="module")
def from_file(tmp_path_factory):
    """The rows and the summary of a scan of the file."""
    env = environment(tmp_path_factory.mktemp("files"), data=REAL_BARS, schedule="off")
    with stack_up(env):
        report = scan_json("enqueue", "--wait", "--json", env=env)
        columns = scan_json("indicators", "--default", "--json", env=env)
        yield report, exported(env, report["id"]), columns


@pytest.fixture(scope="module")
def frames():
    """Each symbol's bars in the lookback, as pandas frames."""
    table = pq.read_table(REAL_BARS).to_pandas()
    last = dt.date.fromisoformat(AS_OF)
    table = table[(table.date >= last - dt.timedelta(days=400)) & (table.date <= last)]
    return {symbol: bars.reset_index(drop=True) for symbol, bars in table.groupby("symbol")}


def test_each_symbol_is_in_one_state(from_file):
    """74 of 1,618 symbols are stale, one has a single bar, and all others have a row."""
    report, rows, _ = from_file
    assert report["as_of"] == AS_OF
    assert report["symbols"] == sum(report["ledger"].values()) == 1_618
    assert report["ledger"] == {"scored": 1_543, "insufficient_history": 1, "stale": 74}
    assert len(rows) == 1_543


def test_a_column_without_enough_bars_is_null(from_file):
    """A value is null exactly where the symbol has fewer bars than the column needs."""
    _, rows, columns = from_file
    never_missing = [c for c in columns if c.startswith(("sma_", "ema_", "return_", "atr_"))]
    for row in rows.values():
        for name in never_missing:
            assert (row[name] is None) == (row["bars"] < columns[name]["bars"]), (row, name)


def _expected(bars):
    """Return the last value of each column of `ta` for one symbol, computed by `ta` alone."""
    high, low, close, volume = bars.high, bars.low, bars.close, bars.volume
    bands = ta.volatility.BollingerBands(close, 20, 2)
    macd = ta.trend.MACD(close)
    adx = ta.trend.ADXIndicator(high, low, close)
    stoch = ta.momentum.StochasticOscillator(high, low, close)
    series = {
        "rsi_14": ta.momentum.rsi(close),
        "macd_12_26": macd.macd(),
        "macd_signal_12_26_9": macd.macd_signal(),
        "macd_diff_12_26_9": macd.macd_diff(),
        "bbands_upper_20_2": bands.bollinger_hband(),
        "bbands_middle_20_2": bands.bollinger_mavg(),
        "bbands_lower_20_2": bands.bollinger_lband(),
        "bbands_width_20_2": bands.bollinger_wband(),
        "bbands_percent_20_2": bands.bollinger_pband(),
        "atr_14": ta.volatility.average_true_range(high, low, close, 14),
        "adx_14": adx.adx(),
        "plus_di_14": adx.adx_pos(),
        "minus_di_14": adx.adx_neg(),
        "stoch_14_3": stoch.stoch(),
        "stoch_signal_14_3": stoch.stoch_signal(),
        "obv": ta.volume.on_balance_volume(close, volume),
        "mfi_14": ta.volume.money_flow_index(high, low, close, volume),
        "cci_20": ta.trend.cci(high, low, close),
        "williams_r_14": ta.momentum.williams_r(high, low, close),
        "roc_12": ta.momentum.roc(close),
        "relative_volume_20": volume / volume.rolling(20).mean(),
        "distance_high_20": close / high.rolling(20).max() - 1,
        "distance_low_20": close / low.rolling(20).min() - 1,
        "distance_high_252": close / high.rolling(252).max() - 1,
        "distance_low_252": close / low.rolling(252).min() - 1,
        "realized_volatility_20": np.log(close).diff().rolling(20).std() * np.sqrt(252),
        "dollar_volume_20": (close * volume).rolling(20).mean(),
        "return_1": close.pct_change(1),
        "return_5": close.pct_change(5),
        "return_21": close.pct_change(21),
        "momentum_252_21": close.shift(21) / close.shift(252) - 1,
        "distance_sma_200": close / close.rolling(200).mean() - 1,
    }
    series |= {f"sma_{n}": close.rolling(n).mean() for n in (20, 50, 200)}
    series |= {f"ema_{n}": ta.trend.ema_indicator(close, n) for n in (12, 20, 26, 50)}
    return {name: values.iloc[-1] for name, values in series.items()}


#: Relative error that pandas' own rolling std may bring into the bands.
_LOOSE = {"bbands_upper_20_2", "bbands_lower_20_2", "bbands_width_20_2", "bbands_percent_20_2"}


def test_the_values_of_200_symbols_are_those_of_ta(from_file, frames):
    """All columns of 200 symbols equal what `ta`, or its pandas formula, gives apart."""
    _, rows, columns = from_file
    symbols = sorted(symbol for symbol, row in rows.items() if row["bars"] >= 40)[::7][:200]
    assert len(symbols) == 200
    compared = 0
    for symbol in symbols:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # ta divides by zero on flat bars
            expected = _expected(frames[symbol])
        assert set(expected) == set(columns)
        price = frames[symbol].close.iloc[-1]
        for name, value in expected.items():
            got = rows[symbol][name]
            if got is None:
                short = rows[symbol]["bars"] < columns[name]["bars"]
                assert short or not np.isfinite(value), (symbol, name, value)
                continue
            scale = max(abs(value), price if columns[name]["unit"] == "price" else 1.0)
            allowed = (1e-4 if name in _LOOSE else 1e-9) * scale
            assert abs(got - value) <= allowed, (symbol, name, got, value)
            compared += 1
    assert compared > 200 * 35


@pytest.mark.parametrize("provider", ["simulator", "polygon"])
def test_the_same_bars_over_http_give_the_same_rows(from_file, tmp_path, provider):
    """Replayed behind the HTTP contract, the bars give identical rows and an identical ledger."""
    report, rows, _ = from_file
    replay = ("--replay", str(REAL_BARS), "--key", "key-of-a-test")
    with running_simulator(tmp_path, *(replay if provider == "polygon" else replay[:2])) as url:
        env = environment(tmp_path / "home", provider=provider, schedule="off")
        env[f"SCANNER_{provider.upper()}_URL"] = url
        env["SCANNER_RATE"] = "unlimited"
        env["POLYGON_API_KEY"] = "key-of-a-test"
        got = scan_json("run", "--json", "--as-of", AS_OF, "--yes", env=env)
        got_rows = exported(env, got["id"])
    assert got["ledger"] == report["ledger"]
    assert got["simulated"] is (provider == "simulator")
    for row in (*rows.values(), *got_rows.values()):
        row.pop("simulated", None)
    assert got_rows == rows
