"""Which scripts does the database's pod run? Their text, read once from the files in here."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType


def _read(suffix: str) -> Mapping[str, str]:
    files = sorted(resources.files(__name__).iterdir(), key=lambda file: file.name)
    return MappingProxyType({f.name: f.read_text() for f in files if f.name.endswith(suffix)})


SHELL: Mapping[str, str] = _read(".sh")
"""Scripts that a pod starts with; a changed one needs a new pod."""
SQL: Mapping[str, str] = _read(".sql")
"""Scripts that the bootstrap runs in the order of their names, again whenever one changes."""
