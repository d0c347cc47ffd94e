"""Settings: where each value comes from, what is refused, and what is never shown."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.schedule import AfterClose, parse_schedule
from scanner.settings import PROFILES, Settings, load_settings

BAD_SCHEDULES = ["", "on", "every", "every 0m", "every 25h", "every 15s", "every m", "every -5m"]
BAD_SCHEDULES += [
    "at",
    "at 24:00",
    "at noon",
    "at close",
    "at close-5m",
    "at close+1h",
    "at close+1000m",
    "at 16:60",
    "off off",
    "16:20",
    "every 1.5h",
]
BAD_SCHEDULES += ["every 1441m"]
SIZES = ("workers", "threads", "bars_expiry")


@pytest.fixture
def env(monkeypatch):
    """Return a function that sets SCANNER_* variables by the names of settings."""

    def put(**values):
        for name, value in values.items():
            monkeypatch.setenv(name if name.isupper() else f"SCANNER_{name.upper()}", value)

    return put


def sizes(settings):
    """Return what a profile sets, but for the rate, which depends on the provider."""
    return {name: getattr(settings, name) for name in SIZES}


def of_profile(name):
    """Return the same of a profile."""
    return {size: PROFILES[name][size] for size in SIZES}


def test_without_any_variable_the_market_is_simulated_at_full_size():
    """4 workers of 5 threads, no limit of requests, no real provider."""
    chosen = load_settings()
    assert (chosen.provider, chosen.profile, chosen.rate) == ("simulator", "pro_plus", "unlimited")
    assert sizes(chosen) == {"workers": 4, "threads": 5, "bars_expiry": 14_400}
    assert (chosen.batch_size, chosen.redis_url, chosen.polygon_key) == ("auto", None, None)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_sets_the_sizes(env, name):
    """And the rate of a provider that counts requests."""
    env(profile=name, provider="polygon")
    chosen = load_settings()
    assert sizes(chosen) == of_profile(name)
    assert chosen.rate == PROFILES[name]["rate"]


@pytest.mark.parametrize(("name", "value"), [("workers", 7), ("threads", 9), ("bars_expiry", 61)])
def test_each_size_can_be_overridden_alone(env, name, value):
    """The profile's other sizes stay."""
    env(profile="free", **{name: str(value)})
    assert sizes(load_settings()) == of_profile("free") | {name: value}


def test_a_rate_of_ones_own_counts_for_every_provider(env):
    """Also where the default is no limit."""
    env(rate="7/minute")
    assert load_settings().rate == "7/minute"


def test_the_short_variable_asks_for_the_full_profile_unless_one_is_named(env):
    """PRO_PLUS_OPTIMIZED=1 gives way to SCANNER_PROFILE."""
    env(PRO_PLUS_OPTIMIZED="1")
    assert sizes(load_settings()) == of_profile("pro_plus")
    env(profile="free")
    assert sizes(load_settings()) == of_profile("free")


def test_the_short_variable_wins_over_the_stack_that_is_up(env, tmp_path):
    """It is of the environment."""
    stack = {"SCANNER_PROFILE": "free"}
    assert load_settings(stack).profile == "free"
    env(PRO_PLUS_OPTIMIZED="1")
    assert load_settings(stack).profile == "pro_plus"


def test_data_alone_means_files(env):
    """But a provider that was named stays: the simulator replays the data."""
    env(data="/data/bars.parquet")
    assert load_settings().provider == "files"
    assert load_settings().data == Path("/data/bars.parquet")
    env(provider="simulator")
    assert load_settings().provider == "simulator"


def test_a_key_alone_never_means_a_real_provider(env):
    """Real requests only where they were asked for."""
    env(POLYGON_API_KEY="k" * 20)
    assert load_settings().provider == "simulator"


def test_files_without_data_are_refused(env):
    """The message says which variable is missing."""
    env(provider="files")
    with pytest.raises(ConfigError, match="SCANNER_DATA"):
        load_settings()


@pytest.mark.parametrize("name", ["POLYGON_API_KEY", "MASSIVE_API_KEY"])
def test_the_key_is_read_under_both_names(env, name):
    """The provider was renamed."""
    env(**{name: "made-up-key"})
    assert load_settings().polygon_key.get_secret_value() == "made-up-key"


def test_secrets_are_masked_wherever_settings_are_shown(env):
    """In repr, str and a dump of all fields."""
    env(POLYGON_API_KEY="made-up-key", redis_url="redis://:made-up-password@host:6379/0")
    chosen = load_settings()
    shown = f"{chosen!r} {chosen} {chosen.model_dump()} {chosen.model_dump_json()}"
    assert "made-up" not in shown


def test_all_problems_are_reported_together(env):
    """Each with its variable and the value that was given."""
    env(workers="0", threads="many", batch_size="-1", schedule="sometimes", rate="")
    env(polygon_url="ftp://host", score_weights="luck=1", profile="gold", bars_expiry="14401")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    text = str(caught.value)
    for name in ("WORKERS", "THREADS", "BATCH_SIZE", "SCHEDULE", "POLYGON_URL", "SCORE_WEIGHTS"):
        assert f"SCANNER_{name}: " in text
    assert "SCANNER_PROFILE: " in text
    assert "SCANNER_BARS_EXPIRY: " in text
    assert "got 'many'" in text
    assert "SCANNER_RATE" not in text


@pytest.mark.parametrize(
    "weights",
    ["momentum=-1,trend=2", "momentum=0", "momentum=nan", "momentum", "x=1", "momentum=a"],
)
def test_weights_that_rank_nothing_are_refused(env, weights):
    """Shares of 0 or more, not all 0, of components that exist."""
    env(score_weights=weights)
    with pytest.raises(ConfigError, match="SCANNER_SCORE_WEIGHTS"):
        load_settings()


def test_weights_are_read_with_spaces_and_without_the_rest(env):
    """A component that is not named has no share."""
    env(score_weights=" momentum = 0.5 , trend=2,")
    assert load_settings().score_weights == {"momentum": 0.5, "trend": 2.0}


def test_values_come_from_options_then_environment_then_stack_then_profile(env, tmp_path):
    """The nearest to the user wins."""
    stack = {"SCANNER_WORKERS": "3", "SCANNER_THREADS": "3", "SCANNER_MIN_BARS": "3"}
    env(threads="6", min_bars="6")
    chosen = load_settings(stack, min_bars=9, universe=None)
    assert (chosen.workers, chosen.threads, chosen.min_bars) == (3, 6, 9)
    assert (chosen.bars_expiry, chosen.universe) == (14_400, "all")


def test_an_empty_variable_is_no_value(env):
    """As make hands on what was not given."""
    env(provider="", data="", workers="", POLYGON_API_KEY="")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "host:80",
        "http://",
        "http://user:pass@host",
        "http://host?key=1",
        "http://h#x",
    ],
)
def test_a_base_url_with_anything_but_host_and_path_is_refused(env, url):
    """A key in it would get into every log."""
    env(polygon_url=url, simulator_url=url)
    with pytest.raises(ConfigError, match="SCANNER_POLYGON_URL") as caught:
        load_settings()
    assert "SCANNER_SIMULATOR_URL" in str(caught.value)


def test_a_base_url_loses_its_last_slash(env):
    """One address, one source."""
    env(polygon_url="https://host:8443/path/")
    assert load_settings().polygon_url == "https://host:8443/path"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_unit_and_a_sentence(name):
    """`scan settings` and the docs show both."""
    field = Settings.model_fields[name]
    assert field.json_schema_extra["unit"]
    assert field.description.endswith(".")


def test_settings_do_not_change():
    """They are shared by threads."""
    with pytest.raises(pydantic.ValidationError):
        load_settings().workers = 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("off", None),
        ("every 1m", dt.timedelta(minutes=1)),
        ("every 15m", dt.timedelta(minutes=15)),
        ("every 24h", dt.timedelta(days=1)),
        ("  at   16:20 ", dt.time(16, 20)),
        ("at 00:00", dt.time(0, 0)),
        ("at close+20m", AfterClose(delay=dt.timedelta(minutes=20))),
        (" at  close+0m ", AfterClose(delay=dt.timedelta(0))),
    ],
)
def test_a_schedule_is_a_period_a_time_or_off(text, expected):
    """The four forms."""
    assert parse_schedule(text) == expected


@pytest.mark.parametrize(
    "text",
    BAD_SCHEDULES,
)
def test_other_schedules_are_refused(text):
    """With the forms that are known."""
    with pytest.raises(ValueError, match="expected `every 15m`"):
        parse_schedule(text)


@given(st.text(max_size=20))
def test_no_text_breaks_the_schedule(text):
    """It is read or refused with a ValueError."""
    try:
        parse_schedule(text)
    except ValueError:
        return


def test_whoever_names_data_does_not_get_the_stack_s_provider(env):
    """The stack scans a simulated market, the command asks for its own bars."""
    stack = {"SCANNER_PROVIDER": "simulator", "SCANNER_RATE": "5/minute", "SCANNER_WORKERS": "3"}
    chosen = load_settings(stack, data="bars.csv")
    assert (chosen.provider, chosen.rate, chosen.workers) == ("files", "unlimited", 3)


@pytest.mark.parametrize("text", ["at 16.20", "at 16:20+02:00", "at 16", "every ²m", "every 0m"])
def test_a_schedule_is_read_strictly(env, text):
    """What only looks like a time or a period is refused."""
    env(schedule=text)
    with pytest.raises(ConfigError, match="SCANNER_SCHEDULE: expected"):
        load_settings()


def test_a_refused_url_is_not_repeated(env):
    """It may hold a password."""
    env(polygon_url="https://user:hunter2@host")
    with pytest.raises(ConfigError, match="SCANNER_POLYGON_URL") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)
