"""Which images belong together, and which components a project has when it says nothing.

A release is immutable: a project stays on the one that it was accepted with (`status.release`)
until its spec names another. Those that ship with the operator lie beside this file, one YAML file
each; further ones may be offered over the network (`offer`), in the same form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from supaplane_contract.fields import Image
from supaplane_contract.spec import ComponentName

NUMBER = re.compile(r"[0-9]+")


def _pinned(image: str) -> str:
    """A tag that moves would change what has been tested."""
    _, at, digest = image.partition("@")
    tag = image.rpartition("/")[2].partition(":")[2]
    if (at and digest) or (tag != "latest" and any(c.isdigit() for c in tag)):
        return image
    raise ValueError("needs a tag with a number, or a digest")


_Pinned = Annotated[Image, AfterValidator(_pinned)]
_Word = Annotated[str, StringConstraints(pattern=r"^[a-z][-a-z0-9]*$", max_length=63)]


class _File(BaseModel):
    """What stands in the file of a release. Whatever else stands there is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][-a-z0-9.]*$", max_length=63)]
    postgres_version: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*$", max_length=3)]
    images: dict[ComponentName, _Pinned]
    default_components: list[ComponentName]
    variants: dict[ComponentName, dict[_Word, _Pinned]] = {}
    helpers: dict[_Word, _Pinned] = {}


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
    try:
        file = _File.model_validate(data)
    except ValidationError as error:
        raise ValueError(f"release {name}: {_explained(error)}") from None
    on = frozenset(file.default_components)
    if missing := on - file.images.keys():
        raise ValueError(f"release {name}: no image for {', '.join(sorted(missing))}")
    if file.name != name:
        raise ValueError(f"release {name}: the file says it is {file.name}")
    variants = {
        component: MappingProxyType(programs) for component, programs in file.variants.items()
    }
    return Release(
        name,
        MappingProxyType(file.images),
        on,
        file.postgres_version,
        MappingProxyType(variants),
        MappingProxyType(file.helpers),
    )


def as_data(release: Release) -> dict[str, Any]:
    """The content of a release's file: `parse` makes the same release of it."""
    return {
        "name": release.name,
        "postgresVersion": release.postgres_version,
        "images": {component.value: image for component, image in release.images.items()},
        "defaultComponents": sorted(component.value for component in release.default_components),
        "variants": {c.value: dict(programs) for c, programs in release.variants.items()},
        "helpers": dict(release.helpers),
    }


def _explained(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}"
        for detail in error.errors(include_url=False, include_input=False)
    )
