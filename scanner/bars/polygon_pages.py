"""Addresses of the provider: what an answer says of its next page comes in, whom to ask goes out.

The key goes to one origin: scheme, host and port of the base URL.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from scanner.bars.polygon_answers import Payload
from scanner.errors import ProviderUnavailable


def next_page(payload: Payload, base_url: str, subject: str) -> str | None:
    """Return the address of the page after this one, None if there is none.

    ProviderUnavailable if it is of another origin than the base URL.
    """
    url = payload.get("next_url")
    if not url:
        return None
    base = urlsplit(base_url)
    origin = origin_of(url) if isinstance(url, str) else None
    if origin is None or origin != origin_of(base_url):
        shown = f"{origin[0]}://{origin[1]}:{origin[2]}" if origin else "something else"
        raise ProviderUnavailable(
            f"{subject}: expected the next page on {base.netloc}, got one on {shown!r:.80}; "
            "it is not followed"
        )
    # Written anew: another reader of the same text might find another host in it.
    parts = urlsplit(url)
    return f"{base.scheme}://{base.netloc}{parts.path}?{parts.query}"


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an HTTP address; None for all others."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.username is not None or parts.password is not None:
        return None
    return parts.scheme, parts.hostname, port
