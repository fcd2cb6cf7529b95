"""Which variables do functions see beside those of the platform? The keys of one Secret."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess
from supaplane_api.inside.ask import shown
from supaplane_api.problems import Missing
from supaplane_api.projects import change, side_secrets
from supaplane_api.projects.change import Spec, Wish
from supaplane_api.services import Services
from supaplane_contract import names

from .arrange import within_limits

PATH = ("functions", "extraEnvFrom")


async def digests(services: Services, access: ProjectAccess) -> dict[str, str]:
    """The names of the variables, each with the SHA-256 of its value. Raises KubeError."""
    found = await side_secrets.read(services, access.project, _name(access))
    values = found.values if found else {}
    return {key: hashlib.sha256(values[key].encode()).hexdigest() for key in sorted(values)}


async def put(
    services: Services, access: ProjectAccess, address: str | None, values: Mapping[str, str]
) -> None:
    """Sets variables. Raises Clash, Invalid, Missing, TooLarge, KubeError."""
    shown(services, access)
    project, name = access.project, _name(access)
    found = await side_secrets.read(services, project, name)
    within_limits("The variables of all functions", {**(found.values if found else {}), **values})

    async def store() -> None:
        await side_secrets.write(services, project, name, dict(values))

    def wish_of(spec: Spec) -> Wish:
        sources = [one for one in _sources(spec) if one["name"] != name]
        return Wish({PATH: [*sources, {"name": name}]}, first=store, touch=True)

    await change.rewrite(services, project, wish_of)
    await note(services, access, "function.secrets.set", address, names=sorted(values))


async def remove(
    services: Services, access: ProjectAccess, address: str | None, gone: Sequence[str]
) -> None:
    """Takes variables away. Raises Missing when there is none of them, Clash, KubeError."""
    shown(services, access)
    project, name = access.project, _name(access)
    found = await side_secrets.read(services, project, name)
    there = (found.values if found else {}).keys()
    going = sorted(there & set(gone))
    if not going:
        raise Missing("There are no such secrets")
    last = there <= set(gone)

    async def forget() -> None:
        await side_secrets.forget(services, project, name, going)

    def wish_of(spec: Spec) -> Wish:
        rest = [one for one in _sources(spec) if one["name"] != name]
        # the operator insists on what the spec refers to: an empty Secret goes after its line
        return Wish({PATH: rest} if last else {}, first=None if last else forget, touch=True)

    await change.rewrite(services, project, wish_of)
    if last:
        await forget()
    await note(services, access, "function.secrets.remove", address, names=going)


def _name(access: ProjectAccess) -> str:
    return names.functions_environment_secret(access.project.cr_name)


def _sources(spec: Spec) -> list[dict[str, Any]]:
    return [dict(one) for one in change.value_at(spec, PATH) or ()]
