"""What can auth be told beyond the fields of the spec, and in which form is each setting written?

The table lies in auth_settings.yaml beside this file. The operator makes variables of GoTrue of it,
the API its answers about the configuration of auth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

import yaml

_EMPTY: Final = {"boolean": False, "text": "", "number": 0, "seconds": 0, "hours": 0}
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Setting:
    """A row of the table."""

    env: str = ""
    kind: str = "text"
    secret: bool = False
    appends: str = ""
    field: str = ""
    """Path in the spec, as in auth.smtp.host."""
    refused: str = ""
    default: bool | int | str | None = ""

    @property
    def path(self) -> tuple[str, ...]:
        """The steps to the field of its own in the spec."""
        return tuple(self.field.split("."))


@cache
def table() -> Mapping[str, Setting]:
    """Every key that the Management API's auth config has, and what it is to GoTrue."""
    text = (resources.files(__package__) / "auth_settings.yaml").read_text()
    rows: Mapping[str, Mapping[str, Any]] = yaml.load(text, Loader=_Loader)
    return MappingProxyType({key: _setting(row) for key, row in rows.items()})


def _setting(row: Mapping[str, Any]) -> Setting:
    return Setting(**{"default": _EMPTY[row.get("kind", "text")], **row})


def converted(kind: str, text: str) -> str:
    """The text of a setting as GoTrue reads it. Raises ValueError saying what it must be."""
    try:
        return _CONVERSIONS[kind](text)
    except ValueError:
        raise ValueError(f"must be {_EXPECTED[kind]}") from None


def _boolean(text: str) -> str:
    if text not in ("true", "false"):
        raise ValueError
    return text


def _number(text: str) -> str:
    # digits only: GoTrue ends at its start on what its parser does not take
    if not (text.isascii() and text.isdigit()):
        raise ValueError
    return str(int(text))


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError
    return text


_CONVERSIONS: Final[Mapping[str, Callable[[str], str]]] = {
    "boolean": _boolean,
    "number": _number,
    "text": _text,
    # a bare number is no duration to GoTrue, which then would not start
    "seconds": lambda text: f"{_number(text)}s",
    "hours": lambda text: f"{_number(text)}h",
}
_EXPECTED: Final[Mapping[str, str]] = {
    "boolean": '"true" or "false"',
    "number": "a whole number",
    "text": "text",
    "seconds": "a whole number of seconds",
    "hours": "a whole number of hours",
}
