"""One layer of an image, as entries that become the same tar whenever it is written."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

# Programs look for themselves by this time; 0 confuses some (zip files begin in 1980).
MADE = 946_684_800
"""Modification time of every entry: 2000-01-01, in seconds since 1970."""


@dataclass(frozen=True)
class Entry:
    """A folder, a link, or a file whose content is either here or in a file of this machine."""

    mode: int
    owner: int = 0
    """User and group."""
    text: bytes | None = None
    source: Path | None = None
    target: str | None = None
    """Where a link leads."""
    implied: bool = False
    """A folder that is only there because something is in it: it overrides no other."""

    @property
    def is_folder(self) -> bool:
        return self.text is None and self.source is None and self.target is None


@dataclass
class Layer:
    """Entries by absolute path. What is added later wins."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def folder(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        self._place(path, Entry(mode, owner))

    def text(self, path: str, content: bytes, mode: int = 0o644, owner: int = 0) -> None:
        self._place(path, Entry(mode, owner, text=content))

    def link(self, path: str, target: str) -> None:
        self._place(path, Entry(0o777, target=target))

    def file(self, path: str, source: Path, mode: int | None = None) -> None:
        """A copy; links are followed. Without a mode: the source's, readable by everybody."""
        real = source.resolve(strict=True)
        own = real.stat().st_mode & 0o777
        kept = (0o755 if own & 0o100 else 0o644) if mode is None else mode
        self._place(path, Entry(kept, source=real))

    def has(self, path: str) -> bool:
        return path in self.entries

    def above(self, *lower: Layer) -> Layer:
        """Without what lower layers hold already, so that it is neither kept nor changed twice."""

        def there(path: str, entry: Entry) -> bool:
            return any(
                path in layer.entries and (entry.implied or layer.entries[path] == entry)
                for layer in lower
            )

        return Layer({p: e for p, e in self.entries.items() if not there(p, e)})

    def write(self, file: BinaryIO) -> None:
        """As a tar, the same for the same entries."""
        with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for path, entry in sorted(self.entries.items()):
                _add(tar, path, entry)

    def _place(self, path: str, entry: Entry) -> None:
        for parent in _parents(path):
            if parent not in self.entries:
                self.entries[parent] = Entry(0o755, implied=True)
        self.entries[path] = replace(entry)


def _parents(path: str) -> Iterator[str]:
    for parent in PurePosixPath(path).parents:
        if str(parent) != "/":
            yield str(parent)


def _add(tar: tarfile.TarFile, path: str, entry: Entry) -> None:
    info = tarfile.TarInfo(path.lstrip("/"))
    info.mode, info.uid, info.gid, info.mtime = entry.mode, entry.owner, entry.owner, MADE
    if entry.target is not None:
        info.type, info.linkname = tarfile.SYMTYPE, entry.target
        tar.addfile(info)
    elif entry.text is not None:
        info.size = len(entry.text)
        tar.addfile(info, io.BytesIO(entry.text))
    elif entry.source is not None:
        info.size = entry.source.stat().st_size
        with entry.source.open("rb") as content:
            tar.addfile(info, content)
    else:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
