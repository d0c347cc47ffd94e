"""When beat starts a scan: a setting's text comes in, a period or a time of the day goes out."""

from __future__ import annotations

import datetime as dt
import re


def parse_schedule(text: str) -> dt.timedelta | dt.time | None:
    """Return the period of `every 15m`, the time of `at 16:20`, or None for `off`."""
    if text.strip() == "off":
        return None
    if every := re.fullmatch(r"\s*every\s+(\d{1,4})([mh])\s*", text, re.ASCII):
        minutes = int(every[1]) * {"m": 1, "h": 60}[every[2]]
        if 1 <= minutes <= 1_440:
            return dt.timedelta(minutes=minutes)
    if at := re.fullmatch(r"\s*at\s+([01]\d|2[0-3]):([0-5]\d)\s*", text, re.ASCII):
        return dt.time(int(at[1]), int(at[2]))
    raise ValueError(f"expected `every 15m`, `every 2h`, `at 16:20` or `off`, got {text!r}")
