"""Certificates for tests, made here: P-256 keys, X.509 in DER, no package and no command needed."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path

#: The curve P-256: y^2 = x^3 - 3x + b over the field of PRIME, with a base point of ORDER.
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
SEQUENCE, SET, INTEGER, BITS, BYTES, OBJECT = 0x30, 0x31, 0x02, 0x03, 0x04, 0x06


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate with its key."""

    name: str
    secret: int
    certificate: bytes

    def pem(self) -> str:
        """Return the certificate as PEM."""
        return _pem("CERTIFICATE", self.certificate)

    def write(self, path: Path) -> Path:
        """Write certificate and key into one file and return it."""
        key = _der(INTEGER, b"\1") + _der(BYTES, _number(self.secret))
        key += _der(0xA0, _object("1.2.840.10045.3.1.7"))
        path.write_text(self.pem() + _pem("EC PRIVATE KEY", _der(SEQUENCE, key)))
        return path


def authority(name: str) -> Issued:
    """Return a new CA."""
    secret = secrets.randbelow(ORDER - 1) + 1
    usage = _extension("2.5.29.15", _der(BITS, b"\1\x06"), critical=True)
    basic = _extension("2.5.29.19", _der(SEQUENCE, _der(0x01, b"\xff")), critical=True)
    made = _signed(name, secret, name, secret, usage + basic)
    return Issued(name=name, secret=secret, certificate=made)


def issued_by(ca: Issued, host: str) -> Issued:
    """Return a certificate of `ca` for a host or an address, for servers and clients."""
    secret = secrets.randbelow(ORDER - 1) + 1
    try:
        named = _der(0x87, ipaddress.ip_address(host).packed)
    except ValueError:
        named = _der(0x82, host.encode())
    extensions = _extension("2.5.29.17", _der(SEQUENCE, named))
    made = _signed(host, secret, ca.name, ca.secret, extensions)
    return Issued(name=host, secret=secret, certificate=made)


def _signed(subject: str, secret: int, issuer: str, signer: int, extensions: bytes) -> bytes:
    now = dt.datetime.now(dt.UTC)
    ends = (now - dt.timedelta(days=1), now + dt.timedelta(days=2))
    times = b"".join(_der(0x17, f"{end:%y%m%d%H%M%SZ}".encode()) for end in ends)
    algorithm = _der(SEQUENCE, _object("1.2.840.10045.4.3.2"))
    own, theirs = (hashlib.sha1(_public(one)).digest() for one in (secret, signer))  # noqa: S324
    extensions += _extension("2.5.29.14", _der(BYTES, own))
    extensions += _extension("2.5.29.35", _der(SEQUENCE, _der(0x80, theirs)))
    curve = _object("1.2.840.10045.2.1") + _object("1.2.840.10045.3.1.7")
    body = _der(
        SEQUENCE,
        _der(0xA0, _der(INTEGER, b"\2"))
        + _integer(secrets.randbits(63))
        + algorithm
        + _name(issuer)
        + _der(SEQUENCE, times)
        + _name(subject)
        + _der(SEQUENCE, _der(SEQUENCE, curve) + _der(BITS, b"\0" + _public(secret)))
        + _der(0xA3, _der(SEQUENCE, extensions)),
    )
    return _der(SEQUENCE, body + algorithm + _der(BITS, b"\0" + _signature(body, signer)))


def _signature(data: bytes, secret: int) -> bytes:
    digest = int.from_bytes(hashlib.sha256(data).digest())
    nonce = secrets.randbelow(ORDER - 1) + 1
    first = _times(nonce)[0] % ORDER
    second = pow(nonce, -1, ORDER) * (digest + first * secret) % ORDER
    return _der(SEQUENCE, _integer(first) + _integer(second))


def _times(factor: int) -> tuple[int, int]:
    """Return the base point added to itself so often."""
    total, power = None, BASE
    while factor:
        if factor & 1:
            total = power if total is None else _sum(total, power)
        power = _sum(power, power)
        factor >>= 1
    assert total is not None
    return total


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    if one == other:
        slope = 3 * (one[0] ** 2 - 1) * pow(2 * one[1], -1, PRIME)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, PRIME)
    x = (slope**2 - one[0] - other[0]) % PRIME
    return x, (slope * (one[0] - x) - one[1]) % PRIME


def _public(secret: int) -> bytes:
    x, y = _times(secret)
    return b"\4" + _number(x) + _number(y)


def _number(value: int) -> bytes:
    return value.to_bytes(32)


def _der(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + body


def _integer(value: int) -> bytes:
    return _der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _object(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    body = bytes([40 * first + second])
    for part in rest:
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.append(0x80 | part & 0x7F)
        body += bytes(reversed(groups))
    return _der(OBJECT, body)


def _name(text: str) -> bytes:
    pair = _object("2.5.4.3") + _der(0x0C, text.encode())
    return _der(SEQUENCE, _der(SET, _der(SEQUENCE, pair)))


def _extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    mark = _der(0x01, b"\xff") if critical else b""
    return _der(SEQUENCE, _object(dotted) + mark + _der(BYTES, value))


def _pem(what: str, data: bytes) -> str:
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN {what}-----\n{text}-----END {what}-----\n"
