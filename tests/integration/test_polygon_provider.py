"""PolygonProvider and FilesProvider over the same bars, one through a real simulator process."""

from __future__ import annotations

import datetime as dt
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests
from bars_builders import FIRST, LAST, SYMBOLS, long_table, write_table
from process_fixtures import running_simulator

from scanner.bars.budget import Unlimited
from scanner.bars.files import FilesProvider
from scanner.bars.polygon import PolygonProvider
from scanner.errors import ConfigError, UnknownSymbol
from scanner.timeframe import day_date

REAL_BARS = Path(
    os.environ.get("SCANNER_TEST_BARS")
    or Path(__file__).parents[2] / ".." / "shared" / "data" / "bars.parquet"
)
YEAR = (dt.date(2024, 7, 1), dt.date(2025, 7, 9))


def polygon_at(base_url: str) -> PolygonProvider:
    """Return a provider of the simulator at `base_url`."""
    return PolygonProvider(
        base_url=base_url,
        key=None,
        threads=5,
        budget=Unlimited(),
        time_budget=20.0,
        own_clock=True,
    )


@pytest.fixture(scope="module")
def bars_file(tmp_path_factory):
    """Write a CSV file of eight symbols."""
    return write_table(long_table(), tmp_path_factory.mktemp("bars") / "bars.csv")


@pytest.fixture(scope="module")
def base_url(bars_file):
    """Start a simulator that replays the file."""
    with running_simulator(bars_file.parent, "--replay", str(bars_file)) as url:
        yield url


@pytest.fixture(params=["polygon", "files"])
def provider(request, bars_file, base_url):
    """Each provider of the same bars."""
    return polygon_at(base_url) if request.param == "polygon" else FilesProvider(bars_file)


class TestProvider:
    """What every Provider does."""

    def test_it_lists_all_symbols_once(self, provider):
        """Names come as they are, sorted, without repeats."""
        assert provider.symbols("all") == sorted(SYMBOLS)

    @pytest.mark.parametrize("symbol", SYMBOLS)
    def test_it_gives_exactly_the_bars_of_the_data(self, provider, symbol):
        """Sessions and values are equal to the last bit."""
        rows = [row for row in long_table().to_pylist() if row["symbol"] == symbol]
        series = provider.fetch(symbol, FIRST, LAST)
        assert series.symbol == symbol
        assert [day_date(day) for day in series.sessions] == [row["date"] for row in rows]
        for name, values in zip(
            ("open", "high", "low", "close", "volume"), series.values, strict=True
        ):
            assert values.tolist() == [row[name] for row in rows]

    def test_both_ends_of_a_range_are_included(self, provider):
        """The first and the last session asked for are in the series."""
        first, last = dt.date(2025, 6, 17), dt.date(2025, 6, 19)
        series = provider.fetch("AAA", first, last)
        assert [day_date(day) for day in series.sessions] == [
            first + dt.timedelta(days=n) for n in range(3)
        ]

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            (dt.date(2020, 1, 1), dt.date(2020, 12, 31)),
            (LAST + dt.timedelta(days=1), dt.date(2026, 1, 1)),
            (dt.date(2025, 7, 5), dt.date(2025, 7, 6)),
            (LAST, FIRST),
        ],
    )
    def test_a_range_without_bars_gives_an_empty_series(self, provider, first, last):
        """Before, after and between the bars there are none, and that is no error."""
        series = provider.fetch("AAA", first, last)
        assert len(series) == 0
        assert series.values.shape == (5, 0)

    def test_it_knows_its_newest_session(self, provider):
        """By the data, or by a clock after the close of the last bar."""
        newest = provider.last_session()
        assert newest == LAST if newest else provider.now().date() == LAST

    def test_symbols_are_case_sensitive(self, provider):
        """KIMpL is not KIMPL: unknown to files, without bars over HTTP."""
        try:
            assert len(provider.fetch("KIMPL", FIRST, LAST)) == 0
        except UnknownSymbol:
            assert isinstance(provider, FilesProvider)

    def test_an_unknown_universe_is_refused(self, provider):
        """No provider guesses what a name may mean."""
        with pytest.raises(ConfigError, match="'sp500'"):
            provider.symbols("sp500")

    def test_threads_may_share_it(self, provider):
        """Many fetches at once give what each gives alone."""
        names = SYMBOLS * 5
        with ThreadPoolExecutor(10) as pool:
            lengths = list(pool.map(lambda name: len(provider.fetch(name, FIRST, LAST)), names))
        assert lengths == [len(provider.fetch(name, FIRST, LAST)) for name in names]


def test_common_stocks_are_a_part_of_all(base_url):
    """The universe of common stocks leaves other types out."""
    provider = polygon_at(base_url)
    assert set(provider.symbols("common")) < set(provider.symbols("all"))


def test_a_listing_of_many_pages_is_complete(tmp_path):
    """Every page of a large market is followed, and no page comes twice."""
    with running_simulator(tmp_path, "--symbols", "2500", "--sessions", "5") as url:
        symbols = polygon_at(url).symbols("all")
        counts = requests.get(f"{url}/simulator/counts", timeout=10).json()
    assert len(set(symbols)) == len(symbols) == 2500
    assert counts["requests"] == {"tickers": 3}


@pytest.mark.skipif(not REAL_BARS.exists(), reason=f"needs real bars at {REAL_BARS.name}")
def test_real_bars_are_the_same_over_http_and_from_the_file(tmp_path):
    """Fifty real symbols, odd names among them, come through HTTP unchanged."""
    files = FilesProvider(REAL_BARS)
    names = random.Random(1).sample(files.symbols("all"), 46)
    with running_simulator(tmp_path, "--replay", str(REAL_BARS)) as url:
        polygon = polygon_at(url)
        assert polygon.symbols("all") == files.symbols("all")
        assert polygon.now().date() == files.last_session()
        for name in [*names, "NA", "NAN", "TRUE", "BRK-B"]:
            one, other = polygon.fetch(name, *YEAR), files.fetch(name, *YEAR)
            assert np.array_equal(one.sessions, other.sessions), name
            assert np.array_equal(one.values, other.values), name
