"""Rules and screens as a user meets them: real processes, a simulated market, one mistake."""

from __future__ import annotations

import json

import pytest
from stack_fixtures import environment, scan, scan_json, stack_up

MINE = """
[mistaken]
description = "A name that is none."
where = "clsoe > 1"

[rising]
description = "Up since yesterday, and stronger than the benchmark."
where = 'close > ago(1, close) and rs("SPY", 20) > 0 and rank(roc(20)) > 0.2'
rank_by = "roc(20)"
columns = ["roc_20"]
limit = 3
universe = { price = 1, history = 200 }

[of_energy]
description = "One sector."
where = 'sector == "Energy"'
"""


@pytest.fixture
def env(tmp_path):
    """A market of 40 symbols, screens of one's own, and a universe file that tells sectors."""
    (tmp_path / "mine.toml").write_text(MINE)
    own = environment(tmp_path / "home", simulator_symbols=40, schedule="off", lookback_days="auto")
    listed = own | {"SCANNER_SCREENS": str(tmp_path / "mine.toml")}
    names = scan_json("screens", "--json", env=own)["screens"]
    assert len(names) == 10
    return listed


def test_rules_from_a_file_to_the_reasons_of_a_symbol(env, tmp_path):
    """A mistake is shown at each start with its line, and the other screens still run."""
    checked = scan("screens", env=env)
    assert checked.returncode == 2
    place = "mine.toml:4:10: screen mistaken: where: unknown name 'clsoe': did you mean close"
    assert place in checked.stderr
    with stack_up(env):
        done = scan("enqueue", "--wait", "--json", env=env)
        assert place in done.stderr
        report = json.loads(done.stdout)
        # The universe is a name, which tells no sectors.
        assert list(report["screens"]) == ["all", "rising"]
        rising = report["screens"]["rising"]
        assert sum(rising["ledger"].values()) == 40
        assert len(report["hits"]["rising"]) == min(3, rising["ledger"]["hit"]) > 0
        assert rising["ranked_among"]["rank(roc(20))"] == report["ledger"]["scored"]
        best = report["hits"]["rising"][0]
        shown = scan_json("show", "--screen", "rising", "--columns", "roc_20", "--json", env=env)
        values = [row["roc_20"] for row in shown["rows"]]
        assert values == sorted(values, reverse=True)
        why = scan_json("why", best, "--json", env=env)
        assert [term["is"] for term in why["terms"]["rising"]] == ["true"] * 3
        numbers = why["terms"]["rising"][1]["numbers"]
        assert numbers['rs("SPY", 20)'] > 0
        tried = scan_json("try", 'close > ago(1, close) and rs("SPY", 20) > 0', "--json", env=env)
        assert best in {hit["symbol"] for hit in tried["hits"]}
        assert (
            len(tried["hits"]) + sum(tried["misses"].values()) + sum(tried["unknown"].values())
            == tried["symbols"]
        )
        # The week of this Thursday ends before a holiday, as the exchange's calendar knows.
        rule = 'tf("1w!", close) == close'
        thursday = ("--as-of", "2025-07-03", "--where", rule)
        week = json.loads(scan("enqueue", "--wait", "--json", *thursday, env=env).stdout)
        assert len(week["hits"]["where"]) == week["ledger"]["scored"] > 0
        tried = scan_json("try", rule, "--json", env=env)
        assert {hit["symbol"] for hit in tried["hits"]} == set(week["hits"]["where"])
        told_by_a_file(env, tmp_path, [row["symbol"] for row in shown["rows"]])


def told_by_a_file(env, tmp_path, symbols):
    """Scan a universe that tells a sector, with the screens and with a rule of its own."""
    path = tmp_path / "universe.csv"
    path.write_text(f"symbol,sector\n{symbols[0]},Energy\n{symbols[1]},Utilities\n")
    universe = ("--universe", str(path))
    report = json.loads(scan("enqueue", "--wait", "--json", *universe, env=env).stdout)
    assert report["hits"]["of_energy"] == [symbols[0]]
    rule = 'sector != "Energy" and tf("1w!", close > 0)'
    report = json.loads(
        scan("enqueue", "--wait", "--json", *universe, "--where", rule, env=env).stdout
    )
    assert report["hits"]["where"] == [symbols[1]]
    assert list(report["screens"]) == ["all", "where"]
    refused = scan("enqueue", "--where", "sector == 3", *universe, env=env)
    assert refused.returncode == 2
    assert "expected a text in quotes" in refused.stderr or "is a text" in refused.stderr
