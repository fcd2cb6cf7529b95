"""Which components does a project have, and can it have them?"""

from __future__ import annotations

from collections.abc import Mapping

from supaplane_contract.spec import ComponentName, ProjectSpec
from supaplane_contract.status import Reason

from .context import variant
from .model import NotRenderable, RenderInput
from .part import Part


def enabled(input: RenderInput, parts: Mapping[ComponentName, Part]) -> frozenset[ComponentName]:
    """The components that are on. Raises NotRenderable when they cannot be."""
    on = frozenset(name for name in ComponentName if _wanted(input, name))
    _check_available(input, parts, on)
    _check_programs(input, on)
    _check_needs(parts, on)
    _check_database(input, on)
    return on


def _wanted(input: RenderInput, name: ComponentName) -> bool:
    wish = input.spec.component(name).enabled
    return name in input.release.default_components if wish is None else wish


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
