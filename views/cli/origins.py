"""Where settings come from: Settings and the environment come in, rows for people go out."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from typing import Any, Final

from scanner.bootstrap import lookback_days, scan_columns
from scanner.indicators.registry import column
from scanner.settings import PREFIX, PROFILES, Settings
from views.cli.stack import as_variables

#: Sessions in a calendar year, to tell bars from days.
_SESSIONS_A_YEAR: Final = 252


def sessions_in(days: int) -> int:
    """Return about how many sessions are in so many calendar days."""
    return days * _SESSIONS_A_YEAR // 365


def empty_columns(chosen: Settings) -> list[str]:
    """Return the columns that need more bars than the lookback has."""
    bars = sessions_in(lookback_days(chosen))
    return [name for name in scan_columns(chosen) if column(name).bars > bars]


def row(name: str, chosen: Settings, stack: Mapping[str, str]) -> dict[str, Any]:
    """Return a setting's variable, value, unit, origin and sentence; secrets are masked."""
    field = type(chosen).model_fields[name]
    extra = field.json_schema_extra
    value = getattr(chosen, name)
    variable = "POLYGON_API_KEY" if name == "polygon_key" else PREFIX + name.upper()
    return {
        "name": variable,
        "value": "not set" if value is None else _shown(value),
        "unit": extra["unit"] if isinstance(extra, dict) else "",
        "from": origin(name, chosen, stack),
        "about": field.description,
    }


def _text_of(name: str, chosen: Settings) -> str | None:
    return as_variables(chosen).get(PREFIX + name.upper())


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={share:g}" for key, share in value.items())
    return str(value)


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return each SCANNER_* variable that no setting reads, with the nearest that exists."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    strangers = sorted(
        name
        for name in environ
        if name.startswith(PREFIX) and name not in known and not name.startswith("SCANNER_TEST_")
    )
    return {name: _nearest(name, known) for name in strangers}


def _nearest(name: str, known: list[str]) -> str:
    ends = {variable.removeprefix(PREFIX): variable for variable in known}
    near = difflib.get_close_matches(name.removeprefix(PREFIX), ends, n=1)
    return ends[near[0]] if near else "one of these"


def origin(name: str, chosen: Settings, stack: Mapping[str, str]) -> str:
    """Return where the value of a setting came from, for people."""
    variables = ("POLYGON_API_KEY", "MASSIVE_API_KEY") if name == "polygon_key" else ()
    for variable in (*variables, PREFIX + name.upper()):
        if os.environ.get(variable):
            return f"environment {variable}"
    if stack.get(PREFIX + name.upper()) == _text_of(name, chosen):
        return "the stack that is up"
    if name == "profile" and os.environ.get("PRO_PLUS_OPTIMIZED") == "1":
        return "environment PRO_PLUS_OPTIMIZED"
    if name == "provider" and chosen.provider == "files":
        return "environment SCANNER_DATA"
    if name in PROFILES[chosen.profile] and getattr(chosen, name) != "unlimited":
        return f"profile {chosen.profile}"
    return "default"
