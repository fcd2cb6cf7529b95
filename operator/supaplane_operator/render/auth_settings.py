"""What do auth's further settings come to, as variables of GoTrue?

The table lies in auth_settings.yaml. A key that is not in it, or cannot be served, is an error: a
setting that silently did nothing could leave a door open that somebody thinks closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import yaml

from supaplane_contract.status import Reason

from .context import Project
from .model import NotRenderable


@dataclass(frozen=True)
class Setting:
    """A row of the table."""

    env: str = ""
    kind: str = "text"
    secret: bool = False
    appends: str = ""
    field: str = ""
    refused: str = ""


@cache
def table() -> Mapping[str, Setting]:
    """Every key that the Management API's auth config has, and what it is to GoTrue."""
    text = (resources.files(__package__) / "auth_settings.yaml").read_text()
    rows: Mapping[str, Mapping[str, Any]] = yaml.load(text, Loader=_Loader)
    return MappingProxyType({key: Setting(**row) for key, row in rows.items()})


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
        return _CONVERSIONS[kind](value)
    except ValueError:
        raise _invalid(where, f"must be {_EXPECTED[kind]}") from None


def _boolean(value: str) -> str:
    if value not in ("true", "false"):
        raise ValueError
    return value


def _number(value: str) -> str:
    # digits only: GoTrue ends at its start on what its parser does not take
    if not (value.isascii() and value.isdigit()):
        raise ValueError
    return str(int(value))


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError
    return value


_CONVERSIONS: Final[Mapping[str, Callable[[str], str]]] = {
    "boolean": _boolean,
    "number": _number,
    "text": _text,
    # a bare number is no duration to GoTrue, which then would not start
    "seconds": lambda value: f"{_number(value)}s",
    "hours": lambda value: f"{_number(value)}h",
}
_EXPECTED: Final[Mapping[str, str]] = {
    "boolean": '"true" or "false"',
    "number": "a whole number",
    "text": "text",
    "seconds": "a whole number of seconds",
    "hours": "a whole number of hours",
}
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _invalid(where: str, what: str) -> NotRenderable:
    return NotRenderable(Reason.SPEC_INVALID, f"{where} {what}")
