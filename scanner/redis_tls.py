"""TLS to Redis: settings come in, the options of every client of Redis go out.

redis-py, kombu, Celery's backend, RedBeat and Flower read different options in a URL, or none; all
take these.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from scanner.errors import ConfigError
from scanner.settings import Settings


def tls_options(settings: Settings, url: str) -> dict[str, Any]:
    """Return the options of TLS for a server at `rediss://`, none for `redis://`; ConfigError.

    The server's certificate has to be valid for its host: there is no setting that leaves that off.
    """
    _check_url(url)
    files = {"SCANNER_REDIS_CA": settings.redis_ca, "SCANNER_REDIS_CERT": settings.redis_cert}
    given = {name: path.expanduser().absolute() for name, path in files.items() if path}
    if not url.startswith("rediss://"):
        for name in given if not _somewhere(settings) else ():
            raise ConfigError(f"{name} is for TLS: SCANNER_REDIS_URL has to begin with rediss://")
        return {}
    options: dict[str, Any] = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    for name, path in given.items():
        options |= _checked(name, path)
    return options


def _somewhere(settings: Settings) -> bool:
    """Return whether any server is to speak TLS."""
    urls = (settings.redis_url, settings.cache_url)
    return any(url.get_secret_value().startswith("rediss://") for url in urls if url)


def tls_failure(error: BaseException) -> str | None:
    """Return what to do if `error` says that the server's certificate is refused."""
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return None
    return (
        "its certificate is refused: SCANNER_REDIS_CA has to name the CA that signed it, "
        "and the certificate the host of SCANNER_REDIS_URL"
    )


def _check_url(url: str) -> None:
    for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if name.startswith("ssl_"):
            raise ConfigError(
                f"SCANNER_REDIS_URL: {name} is not read: name the CA's file by SCANNER_REDIS_CA; "
                "the server's certificate is always checked"
            )


def _checked(name: str, path: Path) -> dict[str, str]:
    """Return the options for a file of ours; ConfigError if it cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if name == "SCANNER_REDIS_CA":
            context.load_verify_locations(path)
            return {"ssl_ca_certs": str(path)}
        context.load_cert_chain(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name}: expected a PEM file, {path}: {error}") from error
    return {"ssl_certfile": str(path), "ssl_keyfile": str(path)}
