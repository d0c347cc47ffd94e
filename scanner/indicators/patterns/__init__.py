"""Patterns: the shapes that a few bars make together, as TA-Lib recognises them."""

from __future__ import annotations

from typing import Any, Final

from scanner.indicators.indicator import Indicator
from scanner.indicators.patterns.catalogue import PATTERNS
from scanner.indicators.patterns.recognition import indicator

INDICATORS: Final[dict[str, Indicator[Any]]] = {
    name: indicator(name, pattern) for name, pattern in PATTERNS.items()
}
