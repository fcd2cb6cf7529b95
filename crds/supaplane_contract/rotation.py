"""What takes the place of keys that are made anew, and which values may people bring? Pure.

A new database password waits under a key of its own until the database has taken it: until then
every service goes on with the old one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from .credentials import DATABASE_ROLES, RandomBytes

JWT_SECRET: Final = "jwt-secret"
SHORTEST_JWT_SECRET: Final = 32
"""Characters: HS256 wants at least as many bytes as its hash has (RFC 7518 section 3.2)."""
LONGEST_VALUE: Final = 256
_JWT_SECRET: Final = re.compile(rf"[!-~]{{{SHORTEST_JWT_SECRET},{LONGEST_VALUE}}}")
_NEXT: Final = "next-"


def pending_key(role: str) -> str:
    """The key under which a database role's next password waits."""
    return f"{_NEXT}password-{role.replace('_', '-')}"


PENDING_KEYS: Final[Mapping[str, str]] = {pending_key(role): role for role in DATABASE_ROLES}
"""The role by the key under which its next password waits."""


def pending(values: Mapping[str, str]) -> dict[str, str]:
    """The next passwords in a master Secret, by role, in the order of the roles' names."""
    waiting = {role: values.get(key) for key, role in PENDING_KEYS.items()}
    return {role: waiting[role] or "" for role in sorted(waiting) if waiting[role]}


def new_signing_keys(
    secret: str | None, *, random_bytes: RandomBytes, now: datetime
) -> dict[str, str]:
    """All keys that tokens are signed with, and the anon and service keys that follow from them.

    `secret`: the JWT secret, if somebody chose one. The ES256 pair is another one each time, so
    that no token of before is taken. Raises ValueError when `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must have a time zone")
    from .signing import signing  # what it stands on takes 6 MiB, which few passes need

    chosen = {JWT_SECRET: secret} if secret else {}
    return chosen | signing(chosen, random_bytes, int(now.timestamp()))


def complaint_about_jwt_secret(value: str) -> str | None:
    """Why a value cannot be a JWT secret; None when it can."""
    if _JWT_SECRET.fullmatch(value):
        return None
    return (
        f"a JWT secret has {SHORTEST_JWT_SECRET} to {LONGEST_VALUE} characters of ASCII, "
        "without blanks"
    )


def complaint_about_password(value: str) -> str | None:
    """Why a value cannot be the password of a database role; None when it can."""
    if 0 < len(value) <= LONGEST_VALUE and value.isprintable():
        return None
    return f"a database password has 1 to {LONGEST_VALUE} printable characters"
