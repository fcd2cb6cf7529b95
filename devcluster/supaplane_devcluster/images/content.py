"""What an image is made of, in words that can be written down, compared and hashed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supaplane_devcluster.errors import CannotBuild

from . import libraries
from .layer import Layer
from .sources import LIBRARY_FOLDERS, Place


@dataclass(frozen=True)
class File:
    """A file of a source, as `source:path/in/it`."""

    source: str
    path: str
    mode: int | None = None


@dataclass(frozen=True)
class Text:
    """A file with this content."""

    path: str
    content: str
    mode: int = 0o644


@dataclass(frozen=True)
class Folder:
    """An empty folder."""

    path: str
    mode: int = 0o755
    owner: int = 0


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    path: str
    target: str


@dataclass(frozen=True)
class Program:
    """An executable of a source, with every library that it needs."""

    source: str
    path: str


@dataclass(frozen=True)
class Tree:
    """A folder of a source with all that is in it, and the libraries that this needs from outside.

    A path with one of `without` in it is left out.
    """

    source: str
    path: str
    without: tuple[str, ...] = ()


Item = File | Text | Folder | Link | Program | Tree
Places = Mapping[str, Place]
"""Where each source lies, by the name that items call it by."""


def fill(layer: Layer, item: Item, places: Places) -> None:
    """Adds an item to a layer. Raises CannotBuild if the source has no such thing."""
    match item:
        case File():
            layer.file(item.path, _find(item.source, places), item.mode)
        case Text():
            layer.text(item.path, item.content.encode(), item.mode)
        case Folder():
            layer.folder(item.path, item.mode, item.owner)
        case Link():
            layer.link(item.path, item.target)
        case Program():
            program = _find(item.source, places)
            layer.file(item.path, program, 0o755)
            _add_libraries(layer, program, places)
        case Tree():
            _add_tree(layer, item, places)


def _find(name: str, places: Places) -> Path:
    source, _, inside = name.partition(":")
    if "*" in inside:
        found = sorted(places[source].folder.glob(inside))
        if len(found) == 1:
            return found[0]
        raise CannotBuild(f"source {source} has {len(found)} files like {inside}, not one")
    path = places[source].folder / inside
    if not path.exists():
        raise CannotBuild(f"source {source} has no {inside}")
    return path


def _add_libraries(layer: Layer, program: Path, places: Places, inside: Path | None = None) -> None:
    """`inside`: a tree that is copied as it is, whose programs find its libraries by themselves."""
    roots = [place.folder for place in places.values() if place.is_system]
    folders = [root / folder for root in roots for folder in LIBRARY_FOLDERS]
    for library in libraries.needed(program, folders):
        if inside is not None and library.resolve().is_relative_to(inside.resolve()):
            continue
        target = libraries.place(library, roots)
        if not layer.has(target):
            layer.file(target, library, 0o755)


def _add_tree(layer: Layer, item: Tree, places: Places) -> None:
    top = _find(item.source, places)
    for root, folders, files in os.walk(top):
        here = Path(root)
        layer.folder(_inside(item, here, top))
        for name in [*folders, *files]:
            path = here / name
            if any(part in f"/{path.relative_to(top)}" for part in item.without):
                if name in folders:
                    folders.remove(name)
            elif path.is_symlink():
                layer.link(_inside(item, path, top), os.readlink(path))
            elif path.is_file():
                layer.file(_inside(item, path, top), path)
                if libraries.is_elf(path):
                    _add_libraries(layer, path, places, inside=top)


def _inside(item: Tree, path: Path, top: Path) -> str:
    below = path.relative_to(top).as_posix()
    return item.path if below == "." else f"{item.path.rstrip('/')}/{below}"
