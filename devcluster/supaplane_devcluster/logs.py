"""Prints the log of a component, and what is added to it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TextIO

from .errors import NotRunning


def show(path: Path, out: TextIO, follow: bool) -> None:
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise NotRunning(f"there is no log {path}") from None
    with file:
        while True:
            if part := file.read(64 * 1024):
                out.write(part)
            elif not follow or not path.exists():
                return
            else:
                out.flush()
                time.sleep(0.2)
