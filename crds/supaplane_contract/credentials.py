"""Which secrets does a project have, and how is each that is missing made?

Minted once in a project's life: what is there is never made again, and what is made fits what is
there. Pure: randomness and the time are arguments. Shapes and lengths are those that Supabase's
self-hosting scripts generate and its services insist on; text that goes into a URL is hexadecimal.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from . import jose, names

RandomBytes = Callable[[int], bytes]
"""Gives that many random bytes, as `secrets.token_bytes` does."""

DATABASE_ROLES: Final = (
    "postgres",
    "supabase_admin",
    "authenticator",
    "supabase_auth_admin",
    "supabase_storage_admin",
    "supabase_functions_admin",
    "supabase_replication_admin",
    "supabase_read_only_user",
    "pgbouncer",
    "dashboard_user",
)
"""Roles of the database that sign in with a password, each with its own."""

LIFE_SECONDS: Final = 5 * 365 * 24 * 3600
"""Life of the anon and service keys: five years, as upstream's scripts have it."""
ISSUER: Final = "supabase"
DASHBOARD_USERNAME: Final = "supabase"
"""The name, no secret, that the gateway asks for in front of Studio; upstream's default."""


class CredentialsLost(ValueError):
    """A missing value cannot be made without breaking one that is there.

    The message names the keys and the cure, and holds no secret.
    """


def password_key(role: str) -> str:
    """The key under which the password of a database role lies."""
    return f"password-{role.replace('_', '-')}"


def _hex(count: int) -> Callable[[RandomBytes], str]:
    return lambda random_bytes: random_bytes(count).hex()


def _opaque(prefix: str) -> Callable[[RandomBytes], str]:
    def make(random_bytes: RandomBytes) -> str:
        body = prefix + jose.b64url(random_bytes(17))[:22]
        checksum = hashlib.sha256(f"supabase-self-hosted|{body}".encode()).digest()
        return f"{body}_{jose.b64url(checksum)[:8]}"

    return make


_INDEPENDENT: Final[Mapping[str, Callable[[RandomBytes], str]]] = MappingProxyType(
    {
        "publishable-key": _opaque("sb_publishable_"),
        "secret-key": _opaque("sb_secret_"),
        "secret-key-base": _hex(32),  # 64 characters: Phoenix wants at least that many
        "realtime-db-enc-key": _hex(8),  # exactly 16 characters: the key of AES-128
        "vault-enc-key": _hex(16),  # exactly 32 characters: the key of AES-256
        "pg-meta-crypto-key": _hex(16),
        "pgsodium-root-key": _hex(32),
        "dashboard-username": lambda _: DASHBOARD_USERNAME,
        "dashboard-password": _hex(16),
        "logflare-public-access-token": _hex(24),
        "logflare-private-access-token": _hex(24),
        "s3-access-key-id": _hex(16),
        "s3-secret-access-key": _hex(32),
        "objectstore-root-user": _hex(8),
        "objectstore-root-password": _hex(16),
        **{password_key(role): _hex(16) for role in DATABASE_ROLES},
    }
)

_HS256_KEYS: Final = {"anon-key": "anon", "service-role-key": "service_role"}
_ES256_KEYS: Final = {
    "anon-key-asymmetric": "anon",
    "service-role-key-asymmetric": "service_role",
}
_DERIVED: Final = ("jwt-secret", *_HS256_KEYS, *_ES256_KEYS, "jwt-keys", "jwt-jwks")

KEYS: Final[tuple[str, ...]] = (*_DERIVED, *_INDEPENDENT)
"""Every key of a complete master Secret."""

IRREPLACEABLE: Final = frozenset({"pgsodium-root-key", "realtime-db-enc-key", "vault-enc-key"})
"""Keys that data at rest is encrypted with. Where a project already has data, look for a lost one
in the copy and never mint it: a new one would make that data unreadable."""


def mint(have: Mapping[str, str], *, random_bytes: RandomBytes, now: datetime) -> dict[str, str]:
    """The missing keys of a master Secret whose data is `have`, and nothing else.

    An empty value counts as missing. `have` may hold keys of a newer version; they are left alone.
    The same arguments and random source give the same result. Raises CredentialsLost when a
    missing value was the origin of one that is there, ValueError when `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must have a time zone")
    there = {key: value for key, value in have.items() if value}
    made = {key: make(random_bytes) for key, make in _INDEPENDENT.items() if key not in there}
    if any(key not in there for key in _DERIVED):
        made |= _signing(there, random_bytes, int(now.timestamp()))
    return made


def _signing(there: Mapping[str, str], random_bytes: RandomBytes, now: int) -> dict[str, str]:
    secret = _known_secret(there) or random_bytes(32).hex()
    private = _known_private_jwk(there) or _new_private_jwk(random_bytes)
    key, oct_jwk = jose.load_private_jwk(private), jose.symmetric_jwk(secret)
    whole = {
        "jwt-secret": secret,
        "jwt-keys": jose.compact_json([private, oct_jwk]),
        "jwt-jwks": jose.compact_json({"keys": [jose.public_jwk(private), oct_jwk]}),
        **{name: jose.sign_hs256(_claims(role, now), secret) for name, role in _HS256_KEYS.items()},
        **{
            name: jose.sign_es256(_claims(role, now), key, private["kid"])
            for name, role in _ES256_KEYS.items()
        },
    }
    return {name: value for name, value in whole.items() if name not in there}


def _claims(role: str, now: int) -> dict[str, Any]:
    return {"role": role, "iss": ISSUER, "iat": now, "exp": now + LIFE_SECONDS}


def _new_private_jwk(random_bytes: RandomBytes) -> jose.Jwk:
    kid = str(uuid.UUID(bytes=random_bytes(16), version=4))
    return jose.private_jwk(jose.private_key(random_bytes(jose.SCALAR_BYTES)), kid)


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
        return jose.load_private_jwk(jwk)
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


def to_secret_data(values: Mapping[str, str]) -> dict[str, str]:
    """Plain values as the `data` of a Secret holds them."""
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def from_secret_data(secret: Mapping[str, Any]) -> dict[str, str]:
    """The plain values of a Secret's manifest. Raises CredentialsLost when one is not text."""
    values = {}
    for key, encoded in (secret.get("data") or {}).items():
        try:
            values[key] = base64.b64decode(encoded or "", validate=True).decode()
        except (binascii.Error, ValueError, TypeError):
            name = secret.get("metadata", {}).get("name", "")
            raise CredentialsLost(f"key {key} of Secret {name} is not base64 of text") from None
    return values


def master_secret(
    *, cr_name: str, namespace: str, ref: str, values: Mapping[str, str]
) -> dict[str, Any]:
    """The manifest of the master Secret, which lies beside the SupabaseProject."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": names.credentials_secret(cr_name),
            "namespace": namespace,
            "labels": {
                names.LABEL_REF: ref,
                names.LABEL_MANAGED_BY: names.MANAGED_BY,
                names.LABEL_PART_OF: names.PART_OF,
            },
        },
        "type": "Opaque",
        "data": to_secret_data(values),
    }
