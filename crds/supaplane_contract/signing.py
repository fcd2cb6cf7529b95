"""Which of the keys that tokens are signed with, and which tokens, does a project lack?

They hang together: the anon and service keys were signed with the secret and the ES256 key, which
`jwt-keys` and `jwt-jwks` hold too. Pure.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from . import jose, p256
from .errors import CredentialsLost

if TYPE_CHECKING:
    from .credentials import RandomBytes

LIFE_SECONDS: Final = 5 * 365 * 24 * 3600
"""Life of the anon and service keys: five years, as upstream's scripts have it."""
ISSUER: Final = "supabase"
_HS256_KEYS: Final = {"anon-key": "anon", "service-role-key": "service_role"}
_ES256_KEYS: Final = {
    "anon-key-asymmetric": "anon",
    "service-role-key-asymmetric": "service_role",
}


def signing(there: Mapping[str, str], random_bytes: RandomBytes, now: int) -> dict[str, str]:
    """What is missing of the keys that are signed, or that tokens are signed with.

    `now` in seconds since 1970. Raises CredentialsLost when a missing one was the origin of one
    that is there.
    """
    secret = _known_secret(there) or random_bytes(32).hex()
    private = _known_private_jwk(there) or _new_private_jwk(random_bytes)
    key, oct_jwk = p256.load(private), jose.symmetric_jwk(secret)
    whole = {
        "jwt-secret": secret,
        "jwt-keys": jose.compact_json([private, oct_jwk]),
        "jwt-jwks": jose.compact_json({"keys": [jose.public_jwk(private), oct_jwk]}),
        **{name: jose.sign_hs256(_claims(role, now), secret) for name, role in _HS256_KEYS.items()},
        **{
            name: p256.sign_es256(_claims(role, now), key, private["kid"])
            for name, role in _ES256_KEYS.items()
        },
    }
    return {name: value for name, value in whole.items() if name not in there}


def _claims(role: str, now: int) -> dict[str, Any]:
    return {"role": role, "iss": ISSUER, "iat": now, "exp": now + LIFE_SECONDS}


def _new_private_jwk(random_bytes: RandomBytes) -> jose.Jwk:
    kid = str(uuid.UUID(bytes=random_bytes(16), version=4))
    return p256.private_jwk(p256.private_key(random_bytes(p256.SCALAR_BYTES)), kid)


def _known_secret(there: Mapping[str, str]) -> str | None:
    """The HS256 secret, which both sets of keys hold too. None: nothing was ever signed with it."""
    known = {there["jwt-secret"]} if "jwt-secret" in there else set()
    for name in ("jwt-keys", "jwt-jwks"):
        known |= {_secret_of(jwk, name) for jwk in _jwks(there, name) if jwk.get("kty") == "oct"}
    if len(known) > 1:
        raise CredentialsLost(
            "jwt-secret, jwt-keys and jwt-jwks hold different secrets: "
            "delete those that are wrong from the Secret"
        )
    signed = [name for name in _HS256_KEYS if name in there]
    if not known and signed:
        raise CredentialsLost(_orphaned("jwt-secret", signed))
    return next(iter(known), None)


def _known_private_jwk(there: Mapping[str, str]) -> jose.Jwk | None:
    """The ES256 key. None: nothing was ever signed with it, and nobody was told of it."""
    dependent = [name for name in ("jwt-jwks", *_ES256_KEYS) if name in there]
    if "jwt-keys" not in there:
        if dependent:
            raise CredentialsLost(_orphaned("jwt-keys", dependent))
        return None
    private = next((k for k in _jwks(there, "jwt-keys") if k.get("kty") == "EC"), {})
    _check_private_jwk(private)
    published = [(k.get("x"), k.get("y")) for k in _jwks(there, "jwt-jwks")]
    if "jwt-jwks" in there and (private["x"], private["y"]) not in published:
        raise CredentialsLost(
            "jwt-jwks lacks the public half of the key in jwt-keys: delete jwt-jwks from the Secret"
        )
    return private


def _check_private_jwk(jwk: Mapping[str, Any]) -> ec.EllipticCurvePrivateKey:
    try:
        if not isinstance(jwk.get("kid"), str):
            raise ValueError("no kid")
        return p256.load(jwk)
    except ValueError:
        raise CredentialsLost(
            "jwt-keys holds no private P-256 key with a kid: put it back, or delete jwt-keys, "
            f"jwt-jwks, {' and '.join(_ES256_KEYS)} from the Secret to have all made anew"
        ) from None


def _jwks(there: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    """The keys of `jwt-keys` (an array) or `jwt-jwks` (an object)."""
    if name not in there:
        return []
    try:
        value = json.loads(there[name])
        found = value["keys"] if name == "jwt-jwks" else value
        return [jwk for jwk in found if isinstance(jwk, dict)]
    except (ValueError, TypeError, KeyError):
        raise CredentialsLost(f"{name} is not a set of JSON Web Keys: put it back") from None


def _secret_of(jwk: Mapping[str, Any], name: str) -> str:
    try:
        return jose.unb64url(jwk["k"]).decode()
    except (KeyError, TypeError, ValueError):
        raise CredentialsLost(f"{name} holds a symmetric key that cannot be read") from None


def _orphaned(origin: str, dependent: list[str]) -> str:
    listed = ", ".join(dependent)
    return (
        f"{origin} is missing but {listed} came from it: put {origin} back from a backup, "
        f"or delete {listed} from the Secret to have all made anew (clients then need new keys)"
    )
