"""Which secrets does a project have, and how is each that is missing made?

Minted once: what is there is not made again here (rotation.py does, when somebody asks for it), and
what is made fits what is there. Pure: randomness and the time are arguments. Shapes and lengths are
those that Supabase's self-hosting scripts generate and its services insist on; text that goes into
a URL is hexadecimal.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from . import jose, names
from .errors import CredentialsLost

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

DASHBOARD_USERNAME: Final = "supabase"
"""The name, no secret, that the gateway asks for in front of Studio; upstream's default."""


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

_DERIVED: Final = (
    "jwt-secret",
    "anon-key",
    "service-role-key",
    "anon-key-asymmetric",
    "service-role-key-asymmetric",
    "jwt-keys",
    "jwt-jwks",
)
"""Keys that hang together: see signing.py."""

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
        # Only now: what it stands on takes 6 MiB, which an operator whose API mints never needs.
        from .signing import signing

        made |= signing(there, random_bytes, int(now.timestamp()))
    return made


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
