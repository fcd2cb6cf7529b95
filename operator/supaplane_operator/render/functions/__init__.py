"""What leads calls to functions inside their pod? The text of the program in `main/`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType


def _read() -> Mapping[str, str]:
    files = sorted((resources.files(__name__) / "main").iterdir(), key=lambda file: file.name)
    return MappingProxyType({f.name: f.read_text() for f in files if f.name.endswith(".ts")})


ROUTER: Mapping[str, str] = _read()
"""Its files by name; it imports nothing from elsewhere, so that it starts without the internet."""
