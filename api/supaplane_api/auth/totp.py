"""Is this the code of the second factor now? Time-based one-time passwords (RFC 6238), and how
their secrets are kept: sealed with a key that hangs on ENCRYPTION_SECRET. Pure.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote, urlencode
from uuid import UUID

import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SECRET_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
STEPS_AROUND = 1
"""Steps before and after the present whose codes count: clocks differ, and people type slowly."""
_NONCE_BYTES = 12


def code(secret: bytes, step: int) -> str:
    """The code of that step."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: bytes, given: str, *, now: datetime, after: int) -> int | None:
    """The step whose code was given, if it comes after the last one that counted."""
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - STEPS_AROUND, present + STEPS_AROUND + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode()) and step > after:
            found = step
    return found


def text_of(secret: bytes) -> str:
    """The secret as people type it."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, *, account: str, issuer: str) -> str:
    """What authenticator programs read."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    query = urlencode({"algorithm": "SHA1", "digits": DIGITS, "issuer": issuer})
    return f"otpauth://totp/{label}?{query}&period={STEP_SECONDS}&secret={text_of(secret)}"


def picture(text: str) -> str:
    """A QR code as SVG."""
    return str(segno.make(text, error="m", micro=False).svg_inline(scale=4, border=4))


class Vault:
    """Seals secrets of factors. A sealed one opens for its own account only."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(secret, b"supaplane factor v1", "sha256"))

    def seal(self, secret: bytes, account: UUID, random_bytes: Callable[[int], bytes]) -> bytes:
        """What the database keeps."""
        nonce = random_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, account.bytes)

    def open(self, sealed: bytes, account: UUID) -> bytes:
        """The secret. Raises ValueError when it was sealed with another ENCRYPTION_SECRET."""
        try:
            nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, account.bytes)
        except InvalidTag:
            raise ValueError("sealed with another ENCRYPTION_SECRET") from None
