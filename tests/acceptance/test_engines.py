"""The reference engine and the sizes of a scan, through the whole flow."""

from __future__ import annotations

import pytest
from stack_fixtures import environment, exported, scan_json, stack_up

pytestmark = pytest.mark.timeout(240)


def test_the_library_ta_computes_the_same_rows(tmp_path):
    """SCANNER_ENGINE=ta takes the same way through Celery and ends at the same numbers."""
    more = "kama_10_2_30,psar_up_0.02_0.2,stc_23_50_10_3_3,cdl_doji,ichimoku_visual_b_26_52"
    env = environment(tmp_path / "home", profile="free", simulator_symbols=40, columns=more)
    ours = exported(env, scan_json("run", "--json", env=env)["id"])
    assert set(more.split(",")) < set(next(iter(ours.values())))
    reference = env | {"SCANNER_ENGINE": "ta"}
    theirs = exported(reference, scan_json("run", "--json", env=reference)["id"])
    assert set(ours) == set(theirs)
    for symbol, row in theirs.items():
        for name, value in row.items():
            if isinstance(value, float):
                assert ours[symbol][name] == pytest.approx(value, rel=1e-8, abs=1e-6), (
                    symbol,
                    name,
                )
            elif name != "rank":
                assert ours[symbol][name] == value, (symbol, name)


def test_any_batch_size_gives_the_same_rows(tmp_path):
    """A fixed batch size changes the number of tasks, and nothing else."""
    env = environment(tmp_path / "home", profile="free", simulator_symbols=30)
    with stack_up(env):
        auto = exported(env, scan_json("run", "--json", env=env)["id"])
        for batch_size, batches in (("1", 30), ("7", 5), ("1000", 1)):
            fixed = env | {"SCANNER_BATCH_SIZE": batch_size}
            report = scan_json("run", "--json", env=fixed)
            status = scan_json("status", report["id"], "--json", env=env)["scans"][0]
            assert status["batches"] == status["tasks"] == batches
            assert exported(env, report["id"]) == auto


def test_a_short_lookback_leaves_long_columns_empty(tmp_path):
    """With 150 days the columns that `scan settings` names are null, and all others are there."""
    env = environment(tmp_path / "home", profile="free", simulator_symbols=20, lookback_days=150)
    empty = set(scan_json("settings", "--json", env=env)["empty_columns"])
    assert {"sma_200", "momentum_252_21", "distance_high_252"} <= empty
    rows = exported(env, scan_json("run", "--json", env=env)["id"])
    full = max(rows.values(), key=lambda row: row["bars"])
    missing = {name for name, value in full.items() if value is None}
    assert {name for name in missing if not name.startswith("points_")} == empty
