"""What do auth's further settings come to, as variables of GoTrue?

A key that is not in the contract's table, or cannot be served, is an error: a setting that silently
did nothing could leave a door open that somebody thinks closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from supaplane_contract.auth_settings import Setting, converted, table
from supaplane_contract.status import Reason

from .context import Project
from .model import NotRenderable


def variables(project: Project) -> tuple[dict[str, str], dict[str, str]]:
    """Plain and secret environment variables of auth. Raises NotRenderable naming the key."""
    plain: dict[str, str] = {}
    secret: dict[str, str] = {}
    auth = project.spec.auth
    if both := sorted(set(auth.settings) & set(auth.secret_refs)):
        raise _invalid(f"auth.settings.{both[0]}", "is in auth.secretRefs too: keep one of them")
    given = [(f"auth.settings.{k}", k, v, False) for k, v in sorted(auth.settings.items())]
    for key, ref in sorted(auth.secret_refs.items()):
        value = project.user_secret(ref.name, ref.key)
        given.append((f"auth.secretRefs.{key}", key, value, True))
    # client ids first, for others are added to them
    for where, key, value, hidden in sorted(given, key=lambda g: bool(_row(g[0], g[1]).appends)):
        row = _row(where, key)
        into = secret if hidden or row.secret else plain
        if row.appends:
            before = plain.pop(row.appends, None) or secret.pop(row.appends, None)
            into[row.appends] = f"{before},{value}" if before else value
        else:
            into[row.env] = _converted(where, row.kind, value)
    return plain, secret


def enabled_providers(plain: Mapping[str, str]) -> list[str]:
    """Sign-in providers that are on, as in `GOTRUE_EXTERNAL_<provider>_ENABLED`."""
    prefix, suffix = "GOTRUE_EXTERNAL_", "_ENABLED"
    found = (
        name.removeprefix(prefix).removesuffix(suffix)
        for name, value in plain.items()
        if name.startswith(prefix) and name.endswith(suffix) and value == "true"
    )
    return sorted(p for p in found if f"{prefix}{p}_CLIENT_ID" in _known_variables())


@cache
def _known_variables() -> frozenset[str]:
    return frozenset(row.env for row in table().values())


def _row(where: str, key: str) -> Setting:
    row = table().get(key)
    if row is None:
        raise _invalid(where, "is not a setting of auth: see docs/components.md for the list")
    if row.field:
        raise _invalid(where, f"has a field of its own: set {row.field}")
    if row.refused:
        raise NotRenderable(Reason.NOT_SUPPORTED, f"{where}: {row.refused}: remove it")
    return row


def _converted(where: str, kind: str, value: str) -> str:
    try:
        return converted(kind, value)
    except ValueError as error:
        raise _invalid(where, str(error)) from None


def _invalid(where: str, what: str) -> NotRenderable:
    return NotRenderable(Reason.SPEC_INVALID, f"{where} {what}")
