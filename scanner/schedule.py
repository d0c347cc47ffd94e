"""When beat starts a scan: a setting's text comes in, a period or a time of the day goes out."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

_FORMS: Final = "`every 15m`, `every 2h`, `at 16:20`, `at close+20m` or `off`"


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterClose:
    """A time of the day that moves with the close of the session."""

    delay: dt.timedelta


#: A period, a time of the day in New York, a time after the close, or never.
Schedule = dt.timedelta | dt.time | AfterClose | None


def parse_schedule(text: str) -> Schedule:
    """Return what one of the forms says; ValueError names them all."""
    if text.strip() == "off":
        return None
    if every := re.fullmatch(r"\s*every\s+(\d{1,4})([mh])\s*", text, re.ASCII):
        minutes = int(every[1]) * {"m": 1, "h": 60}[every[2]]
        if 1 <= minutes <= 1_440:
            return dt.timedelta(minutes=minutes)
    if at := re.fullmatch(r"\s*at\s+([01]\d|2[0-3]):([0-5]\d)\s*", text, re.ASCII):
        return dt.time(int(at[1]), int(at[2]))
    if after := re.fullmatch(r"\s*at\s+close\+(\d{1,3})m\s*", text, re.ASCII):
        return AfterClose(delay=dt.timedelta(minutes=int(after[1])))
    raise ValueError(f"expected {_FORMS}, got {text!r}")
