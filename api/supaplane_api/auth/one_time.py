"""What are the links and codes in mails, and what is kept of them? Pure.

A link carries a random token, of which only the SHA-256 is kept. Six digits could be found from any
plain hash, so theirs is keyed with ENCRYPTION_SECRET.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal
from urllib.parse import urlencode, urlsplit

LIFE = timedelta(hours=1)
PKCE_LIFE = timedelta(minutes=5)
MOST_WRONG_CODES = 5
"""After so many only the link of the mail counts."""
DIGITS = 6
_BYTES = 32
ChallengeMethod = Literal["s256", "plain"]


class Purpose(StrEnum):
    """What a token is for. Kinds of links have GoTrue's names."""

    SIGN_UP = "signup"
    RECOVERY = "recovery"
    EMAIL_CHANGE = "email_change"
    PKCE = "pkce"


@dataclass(frozen=True)
class Challenge:
    """RFC 7636: the session is only for who knows what this was made from."""

    challenge: str
    method: ChallengeMethod


class Codes:
    """What is kept of the digits in a mail."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"supaplane codes of mails v1", "sha256")

    def stored(self, account_id: int, purpose: Purpose, code: str) -> bytes:
        """32 bytes, for that account and purpose only."""
        text = f"{account_id}\0{purpose.value}\0{code}"
        return hmac.digest(self._key, text.encode(), "sha256")


def new_token(random_bytes: Callable[[int], bytes]) -> str:
    """A token that nobody guesses."""
    return base64.urlsafe_b64encode(random_bytes(_BYTES)).rstrip(b"=").decode()


def new_code(random_bytes: Callable[[int], bytes]) -> str:
    """Six digits; sixteen bytes make the bias of the division negligible."""
    return str(int.from_bytes(random_bytes(16), "big") % 10**DIGITS).zfill(DIGITS)


def stored(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def answers(challenge: Challenge, verifier: str) -> bool:
    """Whether the verifier is what the challenge was made from."""
    given = verifier
    if challenge.method == "s256":
        digest = hashlib.sha256(verifier.encode()).digest()
        given = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(given.encode(), challenge.challenge.encode())


def landing(studio: str, wanted: str | None, purpose: Purpose) -> str:
    """Where a link leads in the end: the wanted page if it is one of Studio's, else a usual one."""
    usual = f"{studio}/reset-password" if purpose is Purpose.RECOVERY else f"{studio}/"
    if not wanted or not wanted.isascii() or not wanted.isprintable():
        return usual
    try:
        there, ours = urlsplit(wanted), urlsplit(studio)
    except ValueError:
        return usual
    if (there.scheme, there.netloc.lower()) != (ours.scheme, ours.netloc.lower()):
        return usual
    return there._replace(fragment="").geturl()


def link(base: str, purpose: Purpose, token: str, redirect_to: str | None) -> str:
    """The link of a mail; `base` is where browsers reach this program."""
    query = {"token": token, "type": purpose.value}
    if redirect_to:
        query["redirect_to"] = redirect_to
    return f"{base.rstrip('/')}/auth/verify?{urlencode(query)}"
