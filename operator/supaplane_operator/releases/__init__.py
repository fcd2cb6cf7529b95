"""Which images belong together, and which components a project has when it says nothing.

A release is immutable: a project stays on the one that it was accepted with (`status.release`)
until its spec names another. The data lies beside this file, one YAML file per release.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml

from supaplane_contract.spec import ComponentName

NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Release:
    """A set of images that were tested together."""

    name: str
    images: Mapping[ComponentName, str]
    """Full image reference by component; a component without one is not offered."""
    default_components: frozenset[ComponentName]
    """Components that run unless the spec says otherwise."""
    postgres_version: str
    """Major version of PostgreSQL in the `db` image."""
    variants: Mapping[ComponentName, Mapping[str, str]] = field(default_factory=dict)
    """Images of a component's other programs, by the word that the spec has for them: `kong` of
    the gateway, the engines of the object store."""
    helpers: Mapping[str, str] = field(default_factory=dict)
    """Images of Jobs and init containers that are no component, by what they are for."""

    def image(self, component: ComponentName, variant: str | None = None) -> str | None:
        """The image of a component, or of another program of it; None when it is not offered."""
        if variant is None:
            return self.images.get(component)
        return self.variants.get(component, {}).get(variant)


@cache
def load_releases() -> Mapping[str, Release]:
    """Every release that ships with this operator, by name.

    Raises ValueError when a file's name and its content do not agree.
    """
    found = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            name = file.name.removesuffix(".yaml")
            found[name] = parse(name, yaml.safe_load(file.read_text()))
    return MappingProxyType(found)


def newest(releases: Mapping[str, Release]) -> Release:
    """The release with the highest name, numbers compared as numbers.

    Raises ValueError when there is none.
    """
    if not releases:
        raise ValueError("there is no release: a file releases/<name>.yaml is needed")
    return releases[max(releases, key=order)]


def order(name: str) -> tuple[tuple[int, ...], bool, str]:
    """The key that puts 2026.10.1 after 2026.9.1, and 2026.10.1-rc1 before 2026.10.1."""
    base, _, rest = name.partition("-")
    return tuple(int(n) for n in NUMBER.findall(base)), not rest, rest


def parse(name: str, data: Mapping[str, Any]) -> Release:
    """A release out of the content of its file. Raises ValueError naming what is wrong."""
    images = {ComponentName(c): str(image) for c, image in data["images"].items()}
    on = frozenset(ComponentName(c) for c in data["defaultComponents"])
    if missing := on - images.keys():
        raise ValueError(f"release {name}: no image for {', '.join(sorted(missing))}")
    if data["name"] != name:
        raise ValueError(f"release {name}: the file says it is {data['name']}")
    variants = {
        ComponentName(component): MappingProxyType({str(k): str(v) for k, v in programs.items()})
        for component, programs in data.get("variants", {}).items()
    }
    helpers = {str(purpose): str(image) for purpose, image in data.get("helpers", {}).items()}
    return Release(
        name,
        MappingProxyType(images),
        on,
        str(data["postgresVersion"]),
        MappingProxyType(variants),
        MappingProxyType(helpers),
    )
