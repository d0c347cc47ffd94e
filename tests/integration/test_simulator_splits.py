"""The splits endpoint of the simulator, and bars as they were traded, by plain HTTP."""

from __future__ import annotations

import pytest
import requests
from process_fixtures import running_simulator
from simulator_fixtures import GROUPED, RANGE, SPLITS, all_pages, ask

OPTIONS = ("--symbols", "900", "--sessions", "420")


@pytest.fixture(scope="module")
def base_url(tmp_path_factory):
    """Start a market with some dozens of splits."""
    with running_simulator(tmp_path_factory.mktemp("simulator"), *OPTIONS) as url:
        yield url


@pytest.fixture(scope="module")
def rows(base_url):
    """All splits, the newest first."""
    return ask(base_url + SPLITS, limit=1000)["results"]


def test_a_split_has_polygons_names(base_url, rows):
    """Ten rows a page without a limit, the newest first, none of the future."""
    body = ask(base_url + SPLITS)
    assert list(body) == ["results", "status", "request_id", "next_url"]
    assert body["results"] == rows[:10]
    assert list(rows[0]) == ["id", "execution_date", "split_from", "split_to", "ticker"]
    dates = [row["execution_date"] for row in rows]
    assert dates == sorted(dates, reverse=True)
    assert "2023-01-01" < dates[-1] < dates[0] <= "2025-07-09"
    assert len({row["id"] for row in rows}) == len(rows) > 20


@pytest.mark.parametrize("sort", ["ticker", "execution_date"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_of_splits_join(base_url, rows, sort, order):
    """In either order of either name."""
    other = "ticker" if sort == "execution_date" else "execution_date"
    found, pages = all_pages(base_url + SPLITS, limit=7, sort=sort, order=order)
    expected = sorted(
        rows, key=lambda row: (row[sort], row[other], row["id"]), reverse=order == "desc"
    )
    assert (found, pages) == (expected, -(-len(rows) // 7))


def test_splits_are_selected(base_url, rows):
    """By symbol, by dates, and by their direction."""
    middle = sorted(row["execution_date"] for row in rows)[len(rows) // 2]
    name = rows[3]["ticker"]
    tests = {
        ("ticker", name): lambda row: row["ticker"] == name,
        ("ticker.gt", name): lambda row: row["ticker"] > name,
        ("execution_date", middle): lambda row: row["execution_date"] == middle,
        ("execution_date.gt", middle): lambda row: row["execution_date"] > middle,
        ("execution_date.gte", middle): lambda row: row["execution_date"] >= middle,
        ("execution_date.lt", middle): lambda row: row["execution_date"] < middle,
        ("execution_date.lte", middle): lambda row: row["execution_date"] <= middle,
        ("reverse_split", "true"): lambda row: row["split_from"] > row["split_to"],
        ("reverse_split", "false"): lambda row: row["split_from"] < row["split_to"],
    }
    for (field, value), wanted in tests.items():
        found = ask(base_url + SPLITS, limit=1000, **{field: value})["results"]
        assert found == [row for row in rows if wanted(row)], field
        assert found, field


@pytest.mark.parametrize(
    "query",
    [
        "limit=1001",
        "limit=0",
        "sort=id",
        "order=up",
        "reverse_split=1",
        "execution_date.gt=soon",
        "execution_date=20250709",
        "cursor=x",
    ],
)
def test_a_question_about_splits_that_is_not_understood(base_url, query):
    """The name of the parameter is in the error."""
    answer = requests.get(f"{base_url}{SPLITS}?{query}", timeout=10)
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["error"]


def test_traded_prices_jump_where_a_split_is(base_url, rows):
    """Range and grouped answers agree, and say that they are not adjusted."""
    newest = rows[0]
    url = base_url + RANGE.format(newest["ticker"], "2024-01-02", "2025-07-09")
    raw, adjusted = (ask(url, adjusted=flag)["results"] for flag in ("false", "true"))
    factor = newest["split_from"] / newest["split_to"]
    same = [one["c"] == other["c"] for one, other in zip(raw, adjusted, strict=True)]
    place = same.index(True)
    assert 0 < place < len(same)
    assert all(same[place:])
    before, after = raw[place - 1], adjusted[place - 1]
    for name in ("o", "h", "l", "c", "vw"):
        assert before[name] * factor == pytest.approx(after[name], rel=1e-12)
    assert before["v"] / factor == pytest.approx(after["v"], rel=1e-12)
    assert before["n"] == after["n"]
    day = requests.get(base_url + GROUPED + "2024-06-04", {"adjusted": "false"}, timeout=30).json()
    assert day["adjusted"] is False
    for row in [row for row in day["results"] if row["T"] in {one["ticker"] for one in rows}]:
        url = base_url + RANGE.format(row["T"], "2024-06-04", "2024-06-04")
        alone = ask(url, adjusted="false")["results"][0]
        assert [alone[name] for name in "ohlcv"] == [row[name] for name in "ohlcv"]


def test_splits_come_twice_on_request(tmp_path, rows):
    """Each with another id, as the provider does it now and then."""
    with running_simulator(tmp_path, *OPTIONS, "--duplicate-splits") as url:
        twice, _ = all_pages(url + SPLITS, limit=9)
    assert len({row["id"] for row in twice}) == len(twice) == 2 * len(rows)
    facts = [{**row, "id": ""} for row in twice]
    assert facts == [{**row, "id": ""} for row in rows for _ in range(2)]
