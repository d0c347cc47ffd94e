"""The errors of a scan; raised everywhere, turned into absences or exit codes at the edges.

ScannerError
├── TransientError             worth another try later
│   ├── RateLimited            the provider or our own budget asks to wait
│   ├── ProviderUnavailable    no usable answer: down, timed out, cut or unreadable
│   │   └── ProviderPaused     not asked now, for it has failed too often in a row
│   └── MarketIncomplete       a session of the whole market has to be fetched first
├── DataError                  asking again gives the same answer
│   ├── InvalidSymbol          the text is not a symbol
│   ├── UnknownSymbol          the provider does not know the symbol
│   ├── NotEntitled            the provider's plan does not include the data
│   └── BadBars                the bars break a rule that every series keeps
├── StoreUnavailable           Redis is away or refuses to write; of no symbol, so it stops a batch
└── ConfigError                the user has to change something
    ├── ExpressionError        a rule of a screen is not of the scan language
    ├── KeyRefused             the provider does not accept the key
    └── ScanRunning            the universe is being scanned already
"""

from __future__ import annotations


class ScannerError(Exception):
    """Base class: catch it to catch all that the scanner raises on purpose."""


class TransientError(ScannerError):
    """Raised when the same request may succeed later."""


class RateLimited(TransientError):
    """Raised when a request has to wait longer than its caller can."""

    def __init__(self, message: str, *, wait: float) -> None:
        super().__init__(message)
        self.wait = wait
        """Seconds until the request may be tried again."""


class ProviderUnavailable(TransientError):
    """Raised when a provider gave no usable answer."""


class MarketIncomplete(TransientError):
    """Raised when a session that a series is put together from is not kept."""


class ProviderPaused(ProviderUnavailable):
    """Raised instead of a request while a provider that failed too often is left alone."""

    def __init__(self, message: str, *, wait: float) -> None:
        super().__init__(message)
        self.wait = wait
        """Seconds until one request may try whether the provider answers again."""


class StoreUnavailable(ScannerError):
    """Raised when Redis cannot be reached or refuses to write."""

    def __init__(self, message: str, *, passes: bool = True) -> None:
        super().__init__(message)
        self.passes = passes
        """Whether the same call may succeed when the server is back, or has room again."""


class DataError(ScannerError):
    """Raised when the data itself is wrong, so that asking again does not help."""


class InvalidSymbol(DataError):
    """Raised when a text cannot be a symbol."""


class UnknownSymbol(DataError):
    """Raised when a provider does not know a symbol."""


class NotEntitled(DataError):
    """Raised when the provider's plan does not include what was asked for."""


class BadBars(DataError):
    """Raised when bars break a rule: order, uniqueness, finite and positive prices."""


class ConfigError(ScannerError):
    """Raised when a setting, a file or a request has to be changed by the user."""


class ExpressionError(ConfigError):
    """Raised when an expression is not of the scan language; shows where."""

    def __init__(self, message: str, source: str, start: int, stop: int | None = None) -> None:
        self.message = message
        """What is wrong, without the place."""
        self.start = start
        """Place of the first wrong character, from 0."""
        super().__init__(f"{message}\n{_pointed_at(source, start, stop)}")


def _pointed_at(source: str, start: int, stop: int | None) -> str:
    """Return the line of `source` that holds `start`, and carets under the wrong characters."""
    first = source.rfind("\n", 0, start) + 1
    line = source[first:].partition("\n")[0]
    left = max(0, start - first - _BEFORE)
    shown = line[left : left + _SHOWN]
    end = min(stop or start + 1, first + left + len(shown))
    caret = " " * (start - first - left) + "^" * max(1, end - start)
    plain = "".join(c if c.isprintable() else "?" for c in shown)
    return f"  {plain}\n  {caret}"


#: Characters of a line that are shown, and of those how many before the mistake.
_SHOWN = 76
_BEFORE = 50


class KeyRefused(ConfigError):
    """Raised when the provider does not accept the key, or none was given."""


class ScanRunning(ConfigError):
    """Raised when a second scan of a universe is asked for while one runs."""

    def __init__(self, message: str, *, scan_id: str) -> None:
        super().__init__(message)
        self.scan_id = scan_id
        """The id of the scan that runs."""
