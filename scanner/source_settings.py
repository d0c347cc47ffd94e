"""Settings of where bars come from: a part of the Settings that `settings.py` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings


class SourceSettings(BaseSettings):
    """Where bars come from, and which symbols are scanned."""

    provider: Literal["simulator", "polygon", "files"] = Field(
        "simulator",
        description="Where bars come from; `files` where only SCANNER_DATA is set.",
        json_schema_extra={"unit": "name"},
    )
    data: Path | None = Field(
        None,
        description="Bars for `files`, or to replay: a parquet or CSV file, or a folder of them.",
        json_schema_extra={"unit": "path"},
    )
    polygon_url: str = Field(
        "https://api.massive.com",
        description="Base URL of the provider `polygon`.",
        json_schema_extra={"unit": "URL"},
    )
    polygon_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("POLYGON_API_KEY", "MASSIVE_API_KEY", "polygon_key"),
        description="Key of the provider `polygon`, read from POLYGON_API_KEY or MASSIVE_API_KEY.",
        json_schema_extra={"unit": "secret"},
    )
    rate: str = Field(
        "",
        description="Requests that the provider's plan allows: 5/minute, 100/second, unlimited.",
        json_schema_extra={"unit": "requests a time"},
    )
    universe: str = Field(
        "all",
        description="Symbols: `all`, `common`, `type:ETF`, `exchange:XNAS`, or a file of them.",
        json_schema_extra={"unit": "name or path"},
    )
    lookback_days: Literal["auto"] | Annotated[int, Field(ge=2, le=3_660)] = Field(
        400,
        description="History before as_of; 400 are 275 sessions; auto: what rows and screens need.",
        json_schema_extra={"unit": "calendar days"},
    )
    fetch: Literal["auto", "grouped", "symbols"] = Field(
        "auto",
        description="Bars by session of the whole market, or by symbol; auto: what costs less.",
        json_schema_extra={"unit": "name"},
    )
    sample: int = Field(
        10,
        ge=0,
        le=1_000,
        description="Symbols a day whose series by session are compared with a fetch of their own.",
        json_schema_extra={"unit": "symbols"},
    )
    exchange: str = Field(
        "XNYS",
        description="Calendar of sessions, by its name in exchange_calendars.",
        json_schema_extra={"unit": "name"},
    )
    closures: Path | None = Field(
        None,
        description="File of days that the calendar lacks: a date and `closed` or a closing time.",
        json_schema_extra={"unit": "path"},
    )
    simulator_url: str | None = Field(
        None,
        description="A simulator that runs already; without it one is started.",
        json_schema_extra={"unit": "URL"},
    )
    simulator_symbols: int = Field(
        5_277,
        ge=1,
        le=100_000,
        description="Size of the simulated market.",
        json_schema_extra={"unit": "symbols"},
    )
    simulator_seed: int = Field(
        7, ge=0, description="Seed of the simulated market.", json_schema_extra={"unit": "number"}
    )
    simulator_latency: float = Field(
        0.0,
        ge=0.0,
        le=30.0,
        description="Time that each simulated request takes.",
        json_schema_extra={"unit": "seconds"},
    )
