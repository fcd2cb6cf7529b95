"""What do tokens look like, and how do we know ours? Pure but for the secrets that they hang on.

Access tokens are JWTs (ES256) with the claims that GoTrue's clients read, signed with a key that is
computed from JWT_SECRET. Its public half is published, so that others can check them.

Refresh tokens are opaque: the first of a session is random, and each next one is a keyed hash of
the one before. So a client that did not get our answer and asks again gets the same token, though
only hashes are stored, and nobody without ENCRYPTION_SECRET can compute it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from supaplane_contract import jose, p256

AUDIENCE = "authenticated"
ROLE = "authenticated"
ALGORITHM = "ES256"
SKEW_SECONDS = 60
"""By how much the clocks of two replicas may differ."""
_LONGEST = 4096
_REMEMBERED = 10_000
"""Tokens whose signature is not checked a second time, by each process."""


class TokenInvalid(ValueError):
    """Not a token of ours, or not any more; the message may be shown."""


@dataclass(frozen=True)
class Claims:
    """Whose token it is."""

    subject: UUID
    session: UUID


@dataclass(frozen=True)
class _Signed:
    """What a token says whose signature is ours; whether it still holds depends on the time."""

    claims: Claims
    expires_at: int
    issued_at: int


@dataclass(frozen=True)
class Issued:
    """An access token and when it ends."""

    token: str
    seconds: int
    """Life, from the moment it was issued."""
    expires_at: datetime


class AccessTokens:
    """Signs and reads access tokens. The header names its key, so that keys can be changed."""

    def __init__(
        self, secret: bytes, *, issuer: str, life: timedelta, previous: Sequence[bytes] = ()
    ) -> None:
        """`previous`: secrets from before a change, whose tokens are taken until they end."""
        self.issuer = issuer
        self.life = life
        self._current = _key_id(secret)
        self._keys = {_key_id(one): signing_key(one) for one in (*previous, secret)}
        self._public = {kid: key.public_key() for kid, key in self._keys.items()}
        self._remembered: OrderedDict[bytes, _Signed] = OrderedDict()

    @property
    def public_jwks(self) -> list[jose.Jwk]:
        """The public keys by which our tokens are checked."""
        return [jose.public_jwk(p256.private_jwk(key, kid)) for kid, key in self._keys.items()]

    def sign(
        self,
        claims: Claims,
        *,
        email: str,
        signed_in_at: datetime,
        verified_at: datetime | None,
        now: datetime,
        method: str = "password",
    ) -> Issued:
        """A token for that session, which was opened at `signed_in_at` by `method` (`password`, or
        `otp` for a mail); `verified_at`: when the code of a second factor was given."""
        methods = [("totp", verified_at), (method, signed_in_at)]
        expires_at = now + self.life
        payload = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": str(claims.subject),
            "role": ROLE,
            "email": email,
            "phone": "",
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            "session_id": str(claims.session),
            "aal": "aal1" if verified_at is None else "aal2",
            "amr": [
                {"method": method, "timestamp": int(time.timestamp())}
                for method, time in methods
                if time is not None
            ],
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": {},
            "is_anonymous": False,
        }
        token = jwt.encode(
            payload, self._keys[self._current], ALGORITHM, headers={"kid": self._current}
        )
        return Issued(token, int(self.life.total_seconds()), expires_at)

    def read(self, token: str, *, now: datetime) -> Claims:
        """Whose token it is. Raises TokenInvalid."""
        if len(token) > _LONGEST:
            raise TokenInvalid("invalid JWT: too long")
        signed = self._signed(token)
        if signed.expires_at <= now.timestamp():
            raise TokenInvalid("invalid JWT: the token has expired, sign in again")
        if signed.issued_at > now.timestamp() + SKEW_SECONDS:
            raise TokenInvalid("invalid JWT: the token is of the future; compare the clocks")
        return signed.claims

    def _signed(self, token: str) -> _Signed:
        """What it says. A signature stays right, so it is checked once; kept are only hashes."""
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        known = self._remembered.pop(digest, None) or self._verified(token)
        self._remembered[digest] = known
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return known

    def _verified(self, token: str) -> _Signed:
        try:
            key = self._public[str(jwt.get_unverified_header(token)["kid"])]
            payload: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self.issuer,
                # The time is an argument here, so it is compared by who asks.
                options={
                    "require": ["exp", "iat", "sub", "aud", "iss", "session_id"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            claims = Claims(UUID(payload["sub"]), UUID(payload["session_id"]))
            return _Signed(claims, int(payload["exp"]), int(payload["iat"]))
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, AttributeError):
            raise TokenInvalid("invalid JWT: sign in again") from None


class RefreshTokens:
    """Makes refresh tokens and what is stored of them."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"supaplane refresh token v1", "sha256")

    def first(self, random_bytes: Callable[[int], bytes]) -> str:
        """The token that a session begins with."""
        return _text(random_bytes(32))

    def next(self, token: str) -> str:
        """The one token that may follow `token`."""
        return _text(hmac.digest(self._key, token.encode(), "sha256"))

    def stored(self, token: str) -> bytes:
        """What the database keeps: 32 bytes from which the token cannot be had."""
        return hashlib.sha256(token.encode()).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signing_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The key that tokens are signed with; the same secret gives the same key in every replica."""
    seed = hmac.digest(secret, b"supaplane access tokens v1", "sha512")
    return p256.private_key(seed[: p256.SCALAR_BYTES])


def _key_id(secret: bytes) -> str:
    return hmac.digest(secret, b"supaplane key id", "sha256").hex()[:12]
