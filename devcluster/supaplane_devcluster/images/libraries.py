"""Which shared libraries does a program need, and where would its loader find them?"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from supaplane_devcluster.errors import CannotBuild

_FOUND = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$")
_MISSING = re.compile(r"^\s*(\S+) => not found$")
_MERGED = ("/lib/", "/lib64/")


def is_elf(path: Path) -> bool:
    """Whether it is a program or a library."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False


def needed(path: Path, folders: Sequence[Path] = ()) -> list[Path]:
    """Every library that is loaded with it, by itself or for another; none if it is static.

    `folders` are searched before the machine's. Raises CannotBuild for one that is nowhere.
    """
    environment = os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, folders))}
    answer = subprocess.run(
        ["ldd", str(path)], capture_output=True, text=True, check=False, env=environment
    )
    return parse(answer.stdout, path)


def parse(text: str, path: Path) -> list[Path]:
    """The libraries in what `ldd` says about a program."""
    lines = text.splitlines()
    missing = [match[1] for line in lines if (match := _MISSING.match(line))]
    if missing:
        raise CannotBuild(f"{path} needs {', '.join(missing)}, which nothing here provides")
    return [Path(match[1]) for line in lines if (match := _FOUND.match(line))]


def place(library: Path, roots: Sequence[Path] = ()) -> str:
    """Where a library of the machine, or below one of `roots`, goes in an image.

    Images have /lib as a link to /usr/lib, as Debian since 12.
    """
    path = str(library)
    for root in roots:
        if library.is_relative_to(root):
            path = f"/{library.relative_to(root)}"
    return f"/usr{path}" if path.startswith(_MERGED) else path
