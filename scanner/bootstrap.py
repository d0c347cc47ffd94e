"""The wiring: Settings come in, and what a process works with goes out; no logic of its own."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import redis

from scanner import keys
from scanner.bars.block import FIELDS
from scanner.bars.budget import Budget, parse_rate
from scanner.bars.local_cache import LocalBarCache
from scanner.bars.polygon import PolygonProvider
from scanner.bars.provider import Provider
from scanner.bars.redis_budget import RedisBudget
from scanner.bars.redis_cache import RedisBarCache
from scanner.bars.store import MarketStore
from scanner.errors import ConfigError
from scanner.freed_memory import keep_freed_memory
from scanner.given_file import read_given
from scanner.indicators.compute import Engine, KernelEngine
from scanner.indicators.registry import DEFAULT_COLUMNS, catalogue, column, settled_bars
from scanner.pipeline import ScanTools
from scanner.redis_clients import cache_client, redis_client
from scanner.results.redis_records import ScanRules
from scanner.results.redis_state import RedisScanState
from scanner.results.redis_store import RedisReportStore
from scanner.rules.screens import MAX_FILE, SCREENS, Screen, read_screens, shipped
from scanner.settings import Settings, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What one process needs: made once, shared by its threads."""

    settings: Settings
    source: str
    #: Where bars are kept; the same server unless the settings name another.
    cache: redis.Redis
    redis: redis.Redis
    tools: ScanTools
    state: RedisScanState
    reports: RedisReportStore

    @property
    def provider(self) -> Provider:
        """The provider of bars."""
        return self.tools.provider

    @property
    def store(self) -> MarketStore:
        """The sessions of the whole market."""
        return MarketStore(self.cache, self.source)

    def drop_bars(self, timeframe: str, symbols: Iterable[str]) -> None:
        """Forget cached bars that are others now."""
        cache = self.tools.cache
        if isinstance(cache, RedisBarCache):
            cache.drop(self.source, timeframe, symbols)

    def tools_of(self, rules: ScanRules) -> ScanTools:
        """Return the tools for a scan with these rules."""
        screens = _screens(rules.screens, rules.told)
        return dataclasses.replace(
            self.tools,
            store=self.store,
            screens=screens,
            columns=rules.columns or _with_shown(self.tools.columns, screens),
            benchmarks=rules.benchmarks,
            calendar=rules.calendar,
        )

    def check_source(self, source: str) -> None:
        """Refuse a scan of other bars than this process reads, by ConfigError."""
        if source != self.source:
            raise ConfigError(
                f"the scan asks for bars of {source}, but this worker reads {self.source}: "
                "start the workers and the scan with the same settings"
            )


def runtime(settings: Settings | None = None) -> Runtime:
    """Return the runtime of this process; ConfigError if a setting has to be changed."""
    keep_freed_memory()
    chosen = settings or load_settings()
    client = redis_client(chosen)
    cache = cache_client(chosen, client)
    state, reports = stores(chosen, client)
    return Runtime(
        settings=chosen,
        source=source_name(chosen),
        redis=client,
        cache=cache,
        tools=scan_tools(chosen, client, cache),
        state=state,
        reports=reports,
    )


@functools.lru_cache(maxsize=16)
def _screens(text: str, told: tuple[str, ...]) -> tuple[Screen, ...]:
    """Return the screens of a scan; those with a mistake were reported when it was asked for."""
    return (*SCREENS, *read_screens(text, texts=told).good)


def screens_text(settings: Settings) -> str:
    """Return the settings' screens as TOML; ConfigError if there is no such file."""
    if settings.screens is None:
        return shipped()
    # A character of UTF-8 has up to four bytes.
    return read_given(settings.screens, "SCANNER_SCREENS", 4 * MAX_FILE)


def scan_columns(settings: Settings) -> tuple[str, ...]:
    """Return the indicator columns of a row with the settings' screens."""
    return _with_shown(row_columns(settings), read_screens(screens_text(settings)).good)


def _with_shown(columns: Sequence[str], screens: Sequence[Screen]) -> tuple[str, ...]:
    """Return `columns` and those that `screens` are shown with, once each."""
    shown = (name for screen in screens for name in screen.columns if name not in FIELDS)
    return tuple(dict.fromkeys((*columns, *shown)))


def lookback_days(settings: Settings, screens: str = "") -> int:
    """Return the calendar days of history: the setting's, or what settles columns and screens.

    `screens`: TOML of those that are asked instead of the settings'.
    """
    if settings.lookback_days != "auto":
        return settings.lookback_days
    asked = read_screens(screens or screens_text(settings)).good
    names = _with_shown(row_columns(settings), asked)
    bars = max(*map(settled_bars, names), *(screen.settled_bars for screen in asked), 2)
    return min(_LONGEST_LOOKBACK, math.ceil(bars * _DAYS_A_SESSION) + _SPARE_DAYS)


#: Calendar days a session, on average; days beyond it for holidays in a row; and the most.
_DAYS_A_SESSION: Final = 365.0 / 251.0
_SPARE_DAYS: Final = 7
_LONGEST_LOOKBACK: Final = 3_660


def stores(settings: Settings, client: redis.Redis) -> tuple[RedisScanState, RedisReportStore]:
    """Return where scans and their reports are kept."""
    expiry = settings.report_expiry
    return RedisScanState(client, expiry), RedisReportStore(client, expiry)


def bar_cache(settings: Settings, client: redis.Redis) -> RedisBarCache:
    """Return the cache of bars, with a layer in this process if the settings ask for one."""
    if settings.local_bars:
        return LocalBarCache(client, settings.bars_expiry, settings.local_bars)
    return RedisBarCache(client, settings.bars_expiry)


def scan_tools(settings: Settings, client: redis.Redis, cache: redis.Redis) -> ScanTools:
    """Return the cache, provider and engine that the settings ask for."""
    return ScanTools(
        cache=bar_cache(settings, cache),
        provider=provider(settings, client),
        engine=engine(settings),
        screens=SCREENS,
        columns=row_columns(settings),
        min_bars=settings.min_bars,
    )


def named_columns(text: str) -> tuple[str, ...]:
    """Return the columns that `text` lists, once each; `all` stands for all that are listed.

    ConfigError names every one that is none.
    """
    names: dict[str, None] = {}
    problems = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        try:
            every = catalogue() if name == "all" else [column(name)]
            names |= dict.fromkeys(one.name for one in every)
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("; ".join(problems))
    return tuple(names)


def row_columns(settings: Settings) -> tuple[str, ...]:
    """Return the indicator columns of a row: the default ones and those of SCANNER_COLUMNS."""
    try:
        return tuple(dict.fromkeys((*DEFAULT_COLUMNS, *named_columns(settings.columns))))
    except ConfigError as error:
        raise ConfigError(f"SCANNER_COLUMNS: {error}") from error


def engine(settings: Settings) -> Engine:
    """Return what computes indicators.

    The library ta brings pandas, half a second at the start of each process: it is imported
    only where it is asked for.
    """
    if settings.engine == "ta":
        reference: Engine = import_module("scanner.indicators.reference").TaEngine()
        return reference
    return KernelEngine()


def _files() -> Any:
    """Return what reads files: it brings pyarrow, 30 MB in a process that does not need it."""
    return import_module("scanner.bars.files")


def provider(settings: Settings, client: redis.Redis) -> Provider:
    """Return where bars come from."""
    if settings.provider == "files":
        files: Provider = _files().FilesProvider(_data(settings))
        return files
    simulated = settings.provider == "simulator"
    key = settings.polygon_key
    return PolygonProvider(
        base_url=_base_url(settings),
        key=None if simulated or key is None else key.get_secret_value(),
        threads=settings.threads,
        budget=budget(settings, client),
        time_budget=float(settings.task_budget),
        own_clock=simulated,
    )


def budget(settings: Settings, client: redis.Redis) -> Budget:
    """Return the request budget that all processes share.

    Without a rate it still has the cooldown and the breaker in common.
    """
    name = f"{settings.provider}-{keys.short_hash(_base_url(settings))}"
    return RedisBudget(client, name, parse_rate(settings.rate))


def source_name(settings: Settings) -> str:
    """Return the name of where bars come from, so that no bars answer for another source's.

    Provider and a short hash: of address and adjustment, of the simulated market's options, or
    of path, size and time of each file.
    """
    if settings.provider == "files":
        return f"files-{_files().files_fingerprint(_data(settings))}"
    parts = [_base_url(settings), "adjusted"]
    if settings.provider == "simulator":
        replay = _files().files_fingerprint(settings.data) if settings.data else ""
        parts += [str(settings.simulator_symbols), str(settings.simulator_seed), replay]
    return f"{settings.provider}-{keys.short_hash(' '.join(parts))}"


def _data(settings: Settings) -> Path:
    if settings.data is None:
        raise ConfigError("SCANNER_DATA is not set: expected a parquet or CSV file, or a folder")
    return settings.data


def _base_url(settings: Settings) -> str:
    if settings.provider == "polygon":
        return settings.polygon_url
    if settings.simulator_url is None:
        raise ConfigError("no simulator: start the stack with `scan up`, or SCANNER_SIMULATOR_URL")
    return settings.simulator_url
