"""Where the demo keeps its things, and what it writes down for scripts."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Home:
    """The folder `.supaplane` (or SUPAPLANE_HOME), made with mode 0700."""

    folder: Path

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> Home:
        """The folder named by SUPAPLANE_HOME, else `.supaplane` here."""
        folder = Path(environ.get("SUPAPLANE_HOME", ".supaplane")).absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(folder)

    @property
    def logs(self) -> Path:
        """Log files of the processes."""
        return self._made("logs")

    @property
    def database(self) -> Path:
        """Data of the embedded management database; survives restarts."""
        return self.folder / "postgres"

    @property
    def demo_file(self) -> Path:
        """What scripts read."""
        return self.folder / "demo.json"

    @property
    def authorization_file(self) -> Path:
        """A header line with the last access token, for `curl -H @FILE`."""
        return self.folder / "authorization"

    @property
    def processes_file(self) -> Path:
        """Which processes the demo started."""
        return self.folder / "processes.json"

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


def read_json(path: Path) -> dict[str, Any]:
    """The object in the file; empty if there is none or a crash left half of one."""
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes the whole object or nothing, readable by its owner only."""
    write_private(path, json.dumps(value, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Writes the whole text or nothing, readable by its owner only."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.replace(temporary, path)
