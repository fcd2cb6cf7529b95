"""Which components does a project have, and can it have them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from supaplane_contract.spec import ComponentName, ProjectSpec, StorageBackend
from supaplane_contract.status import Reason
from supaplane_operator.releases import Release

from .context import variant
from .model import NotRenderable, RenderInput
from .part import Part


def enabled(input: RenderInput, parts: Mapping[ComponentName, Part]) -> frozenset[ComponentName]:
    """The components that are on. Raises NotRenderable when they cannot be."""
    spec, release = input.spec, input.release
    on = frozenset(name for name in ComponentName if wanted(spec, release, name))
    _check_follow(input.spec, on)
    _check_available(input, parts, on)
    _check_programs(input, on)
    _check_needs(parts, on)
    _check_database(input, on)
    return on


def wanted(spec: ProjectSpec, release: Release, name: ComponentName) -> bool:
    """Whether a component is asked for, by the spec or where that is silent by the release."""
    wish = spec.component(name).enabled
    if wish is not None:
        return wish
    if name in FOLLOW_STORAGE:
        return wanted(spec, release, ComponentName.STORAGE) and _storage_uses(spec, name)
    return name in release.default_components


FOLLOW_STORAGE: Final = (ComponentName.IMGPROXY, ComponentName.OBJECTSTORE)
"""Components that are there for storage alone: it, and how it is set, decides about them."""


def _storage_uses(spec: ProjectSpec, name: ComponentName) -> bool:
    if name is ComponentName.OBJECTSTORE:
        return spec.storage.backend is StorageBackend.OBJECTSTORE
    return spec.storage.image_transformation


def _check_follow(spec: ProjectSpec, on: frozenset[ComponentName]) -> None:
    """Image transformation can be turned off on either side; a place for objects cannot."""
    storage = ComponentName.STORAGE in on
    if ComponentName.OBJECTSTORE in on and not (
        storage and _storage_uses(spec, ComponentName.OBJECTSTORE)
    ):
        raise NotRenderable(
            Reason.SPEC_INVALID,
            "objectstore would stand empty: remove objectstore.enabled, or set storage.enabled "
            "to true with storage.backend objectstore",
        )
    if ComponentName.IMGPROXY in on and not (
        storage and _storage_uses(spec, ComponentName.IMGPROXY)
    ):
        raise NotRenderable(
            Reason.SPEC_INVALID,
            "imgproxy would have nothing to do: remove imgproxy.enabled, or set storage.enabled "
            "and storage.imageTransformation to true",
        )
    if (
        storage
        and _storage_uses(spec, ComponentName.OBJECTSTORE)
        and ComponentName.OBJECTSTORE not in on
    ):
        raise NotRenderable(
            Reason.SPEC_INVALID,
            "storage.backend objectstore keeps objects in objectstore, which is off: remove "
            "objectstore.enabled, or make a project with storage.backend s3 or file",
        )


def _check_available(
    input: RenderInput, parts: Mapping[ComponentName, Part], on: frozenset[ComponentName]
) -> None:
    offered = input.release.images.keys() & parts.keys()
    if missing := sorted(on - offered):
        raise NotRenderable(
            Reason.COMPONENT_UNAVAILABLE,
            f"release {input.release.name} does not offer {', '.join(missing)}: "
            f"set {', '.join(f'{_field(name)}.enabled' for name in missing)} to false "
            f"(it offers {', '.join(sorted(offered))})",
        )


def _check_programs(input: RenderInput, on: frozenset[ComponentName]) -> None:
    for name in sorted(on - input.spec.images.keys()):
        program = variant(input.spec, name)
        if program and input.release.image(name, program) is None:
            raise NotRenderable(
                Reason.COMPONENT_UNAVAILABLE,
                f"release {input.release.name} has no {program} for {name}: "
                f"set spec.release to a newer one, or images.{name} to an image of {program}",
            )


def _check_needs(parts: Mapping[ComponentName, Part], on: frozenset[ComponentName]) -> None:
    if ComponentName.DB not in on:
        raise NotRenderable(
            Reason.SPEC_INVALID, "a project needs its database: remove database.enabled"
        )
    for name in sorted(on):
        if missing := sorted(parts[name].needs - on):
            raise NotRenderable(
                Reason.SPEC_INVALID,
                f"{name} needs {', '.join(missing)}: turn on "
                f"{', '.join(_field(ComponentName(m)) for m in missing)} or turn off {name}",
            )


def _check_database(input: RenderInput, on: frozenset[ComponentName]) -> None:
    spec: ProjectSpec = input.spec
    own_image = ComponentName.DB in spec.images
    if own_image or spec.database.version == input.release.postgres_version:
        return
    raise NotRenderable(
        Reason.NOT_SUPPORTED,
        f"release {input.release.name} has PostgreSQL {input.release.postgres_version}, "
        f"not {spec.database.version}: set database.version to "
        f"{input.release.postgres_version}, or images.db to an image of that version",
    )


def _field(name: ComponentName) -> str:
    return "database" if name is ComponentName.DB else name.value
