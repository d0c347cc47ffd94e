"""Settings: `SCANNER_*` variables come in once, at start; one frozen Settings goes to bootstrap.

A value is taken from the environment, else from the stack that is up, else from the profile,
else from its default. All problems are reported together, secrets stay masked.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic import model_validator as validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from scanner.errors import ConfigError
from scanner.schedule import parse_schedule
from scanner.source_settings import SourceSettings

PREFIX: Final = "SCANNER_"

#: The sizes that a profile sets.
PROFILES: Final[Mapping[str, Mapping[str, Any]]] = {
    "free": {"workers": 2, "threads": 5, "bars_expiry": 3_600, "rate": "5/minute"},
    "pro_plus": {"workers": 4, "threads": 5, "bars_expiry": 14_400, "rate": "100/second"},
}

DEFAULT_WEIGHTS: Final = "momentum=0.4,trend=0.3,relative_volume=0.15,high=0.15"


class StackSettings(BaseSettings):
    """Processes, their server, their budgets and when they start a scan."""

    profile: Literal["free", "pro_plus"] = Field(
        "pro_plus",
        description="Sizes to start from; PRO_PLUS_OPTIMIZED=1 asks for pro_plus too.",
        json_schema_extra={"unit": "name"},
    )
    workers: int = Field(
        0, ge=1, le=64, description="Worker processes.", json_schema_extra={"unit": "processes"}
    )
    threads: int = Field(
        0, ge=1, le=64, description="Threads of each worker.", json_schema_extra={"unit": "threads"}
    )
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1, le=5_000)] = Field(
        "auto",
        description="Symbols a task; auto takes 1 where bars must be fetched, else blocks.",
        json_schema_extra={"unit": "symbols"},
    )
    redis_url: SecretStr | None = Field(
        None,
        description="Redis or Valkey to use; without it an embedded server is started.",
        json_schema_extra={"unit": "URL"},
    )
    cache_url: SecretStr | None = Field(
        None,
        description="Redis or Valkey for bars alone, which may evict; without it the same one.",
        json_schema_extra={"unit": "URL"},
    )
    redis_ca: Path | None = Field(
        None,
        description="CA of the server's certificate for rediss://, PEM; without it the system's.",
        json_schema_extra={"unit": "path"},
    )
    redis_cert: Path | None = Field(
        None,
        description="Certificate and key, one PEM file, for a server that asks clients for it.",
        json_schema_extra={"unit": "path"},
    )
    bars_expiry: int = Field(
        0,
        ge=60,
        le=14_400,
        description="Longest life of cached bars; entries end up to a tenth earlier.",
        json_schema_extra={"unit": "seconds"},
    )
    local_bars: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Series that each worker process keeps decoded; 0: none.",
        json_schema_extra={"unit": "symbols"},
    )
    report_expiry: int = Field(
        604_800,
        ge=300,
        le=31_536_000,
        description="Life of a report and of its scan's records.",
        json_schema_extra={"unit": "seconds"},
    )
    deadline: int = Field(
        120,
        ge=5,
        le=604_800,
        description="A scan is closed after this, or after 3 x its planned time if that is longer.",
        json_schema_extra={"unit": "seconds"},
    )
    task_budget: int = Field(
        30,
        ge=1,
        le=120,
        description="Longest wait of a task for the request budget; then symbols are deferred.",
        json_schema_extra={"unit": "seconds"},
    )
    task_limit: int = Field(
        290,
        ge=2,
        le=290,
        description="A task that runs longer ends its process; its symbols are given out alone.",
        json_schema_extra={"unit": "seconds"},
    )
    schedule: str = Field(
        "at close+20m",
        description="When beat starts a scan: `every 15m`, `at 16:20`, `at close+20m` or `off`.",
        json_schema_extra={"unit": "schedule"},
    )
    home: Path = Field(
        Path("~/.market-scanner"),
        description="Folder of the embedded server's data, logs and passwords (mode 0700).",
        json_schema_extra={"unit": "path"},
    )
    flower_port: int = Field(
        5555,
        ge=1_024,
        le=65_535,
        description="Port of Flower on 127.0.0.1; the next free one is taken if it is in use.",
        json_schema_extra={"unit": "port"},
    )


class Settings(StackSettings, SourceSettings):
    """Every value that the user can set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True
    )

    engine: Literal["kernels", "ta"] = Field(
        "kernels",
        description="What computes indicators: our kernels, or the library ta (slow reference).",
        json_schema_extra={"unit": "name"},
    )
    columns: str = Field(
        "",
        description="Columns of a row beside the default ones, separated by commas; or `all`.",
        json_schema_extra={"unit": "column names"},
    )
    screens: Path | None = Field(
        None,
        description="TOML file of screens; without it those that come with the scanner.",
        json_schema_extra={"unit": "path"},
    )
    min_bars: int = Field(
        2,
        ge=1,
        le=1_000,
        description="Fewest bars for a row; a symbol with fewer is insufficient_history.",
        json_schema_extra={"unit": "bars"},
    )
    score_weights: Annotated[dict[str, float], NoDecode] = Field(
        DEFAULT_WEIGHTS,
        validate_default=True,
        description="Shares of the score's components.",
        json_schema_extra={"unit": "shares"},
    )

    @validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        """Take sizes from the profile, and `files` from the mere presence of data."""
        filled = dict(values)
        if not filled.get("provider") and filled.get("data"):
            filled["provider"] = "files"
        if filled.get("provider") != "polygon":
            filled.setdefault("rate", "unlimited")
        sizes = PROFILES.get(str(filled.get("profile")), PROFILES["pro_plus"])
        return {**sizes, **filled}

    @field_validator("score_weights", mode="before")
    @classmethod
    def _read_weights(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        return {name.strip(): share.strip() for name, _, share in pairs}

    @field_validator("score_weights")
    @classmethod
    def _check_weights(cls, value: dict[str, float]) -> dict[str, float]:
        known = {part.partition("=")[0] for part in DEFAULT_WEIGHTS.split(",")}
        if unknown := sorted(set(value) - known):
            raise ValueError(f"unknown component {unknown[0]!r}, expected {sorted(known)}")
        if min(value.values(), default=0.0) < 0.0 or not 0.0 < sum(value.values()) < math.inf:
            raise ValueError("expected shares of 0 or more, not all 0")
        return value

    @field_validator("schedule")
    @classmethod
    def _check_schedule(cls, value: str) -> str:
        parse_schedule(value)
        return value

    @field_validator("polygon_url", "simulator_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/@?#\s]+(/[^?#\s]*)?", value):
            raise ValueError("expected http(s)://host[:port][/path], without user or query")
        return value and value.rstrip("/")

    @field_validator("universe")
    @classmethod
    def _find_universe(cls, value: str) -> str:
        """Make a file's path absolute: the worker that reads it has another folder."""
        value.encode()  # bytes of a command line that are no text: a ValueError of its own
        try:
            path = Path(value).expanduser()
            return str(path.absolute()) if "/" in value or path.is_file() else value
        except (OSError, RuntimeError) as error:
            raise ValueError(f"expected a name or a path: {error}") from error

    @field_validator("home", "data", "screens", "closures")
    @classmethod
    def _check_path(cls, value: Path | None) -> Path | None:
        try:
            if value is not None:
                value.expanduser()
        except RuntimeError as error:
            raise ValueError(f"expected a path: {error}") from error
        return value

    @validator(mode="after")
    def _check_data(self) -> Self:
        if self.provider == "files" and self.data is None:
            raise ValueError("SCANNER_PROVIDER=files needs SCANNER_DATA, a file or folder of bars")
        return self


def load_settings(stack: Mapping[str, str] | None = None, **options: Any) -> Settings:
    """Return the settings of this process; ConfigError lists every problem.

    `options` come from the command line and win over the environment; `stack` holds the
    SCANNER_* variables of the stack that is up, which are asked last.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if os.environ.get("PRO_PLUS_OPTIMIZED") == "1" and not os.environ.get(PREFIX + "PROFILE"):
        given.setdefault("profile", "pro_plus")
    try:
        return Settings(**_of_stack(stack or {}, given), **given)
    except ValidationError as error:
        problems = "\n".join(f"  {_problem(item)}" for item in error.errors())
        raise ConfigError(f"these settings are wrong:\n{problems}") from None


def _of_stack(stack: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the stack's variables say of settings that are given nowhere else.

    Whoever names a provider or data means other bars than the stack's.
    """
    named = {n for n in Settings.model_fields if n in given or os.environ.get(PREFIX + n.upper())}
    if named & {"provider", "data"}:
        named |= {"provider", "data", "rate"}
    names = {name.removeprefix(PREFIX).lower(): name for name in stack}
    return {name: stack[names[name]] for name in names.keys() - named}


def _problem(item: Any) -> str:
    message = str(item["msg"]).removeprefix("Value error, ")
    if not item["loc"]:
        return message
    name = str(item["loc"][0])
    got = "" if name.endswith(("url", "key")) else f", got {str(item['input'])[:60]!r}"
    return f"{PREFIX}{name.upper()}: {message}{got}"
