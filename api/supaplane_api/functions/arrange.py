"""How do uploaded files become folders of functions? Pure.

A function is a folder of text files, without folders inside, that begins at index.ts. Clients send
paths as they have them: what lies beside the entrypoint is the function's, what lies in a folder
beside the function's whose name begins with an underscore (`../_shared/cors.ts`) is shared.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from supaplane_api.problems import Invalid, TooLarge
from supaplane_api.projects.side_secrets import MOST_BYTES

ENTRY = "index.ts"
IMPORT_MAP = "import_map.json"
_FILE = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_SHARED = re.compile(r"\.\./(_[-a-zA-Z0-9_]{0,62})/([^/]+)")
Folder = dict[str, str]


@dataclass(frozen=True)
class Arranged:
    """Files by name, of the function and of each shared folder."""

    own: Folder
    shared: Mapping[str, Folder]


def arrange(
    files: Mapping[str, bytes], *, entrypoint: str, import_map: str | None = None
) -> Arranged:
    """The folders that these files are. Raises Invalid, TooLarge naming the file and the cure."""
    entry = _normal(entrypoint)
    texts = {_normal(path): _text(path, content) for path, content in files.items()}
    if posixpath.basename(entry) != ENTRY:
        raise Invalid(f"entrypoint_path: a function begins at {ENTRY} here; rename the file")
    if entry not in texts:
        raise Invalid(f"entrypoint_path: {entry} is not among the files")
    own: Folder = {}
    shared: dict[str, Folder] = {}
    for path, text in texts.items():
        beside = posixpath.relpath(path, posixpath.dirname(entry) or ".")
        folder = _SHARED.fullmatch(beside)
        place = own if folder is None else shared.setdefault(folder[1], {})
        place[_file(path, beside if folder is None else folder[2])] = text
    if import_map:
        _use_import_map(own, posixpath.basename(_normal(import_map)))
    for name, one in {"the function": own, **shared}.items():
        within_limits(name, one)
    return Arranged(own, shared)


def within_limits(name: str, folder: Mapping[str, str]) -> None:
    """Raises TooLarge for more than fits into a Secret."""
    size = sum(len(file) + len(text.encode()) for file, text in folder.items())
    if size > MOST_BYTES:
        raise TooLarge(
            f"{name} has {size} bytes, and {MOST_BYTES} fit: import modules by their address"
            " (npm:, jsr:, https:) instead of sending them along, or split the function"
        )


def _normal(path: str) -> str:
    return posixpath.normpath(path.removeprefix("file://").lstrip("/")) if path else ""


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Invalid(
            f"file {path[:100]}: is no text; put other files into Storage and fetch them"
        ) from None


def _file(path: str, name: str) -> str:
    if not _FILE.fullmatch(name) or name in (".", ".."):
        raise Invalid(
            f"file {path[:100]}: files lie beside {ENTRY}, or in a folder beside the function's"
            " whose name begins with an underscore, and their names are made of letters, digits,"
            " dots, dashes and underscores; bundle the others"
        )
    return name


def _use_import_map(own: Folder, name: str) -> None:
    """Edge Runtime is given one name of an import map: another one is kept twice."""
    if name not in own or not name.endswith(".json"):
        raise Invalid(f"import_map_path: must be a .json file beside {ENTRY}, sent along")
    own[IMPORT_MAP] = own[name]
