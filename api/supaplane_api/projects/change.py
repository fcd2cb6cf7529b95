"""Changes a SupabaseProject on behalf of a person, but never a field that belongs to somebody else.

A field that GitOps or an administrator set is theirs: the API server remembers who set what
(`metadata.managedFields`), and we answer 409 with the owner's name instead of taking it over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supaplane_api import audit
from supaplane_api.caller import ProjectAccess, ProjectRow
from supaplane_api.database import Connection
from supaplane_api.problems import Clash, Invalid, Missing
from supaplane_api.services import Services
from supaplane_contract import names
from supaplane_kube import errors as kube_errors

from .schemas import ChangeSettings, ProjectSettings
from .snapshot import PROJECTS

TRIES = 3


async def rename(services: Services, access: ProjectAccess, name: str, address: str | None) -> None:
    """Sets the display name. Raises Clash, Invalid, Missing, KubeError."""
    project = access.project
    await change(services, project, "displayName", name)
    now = services.outside.now()
    async with services.database.connection() as connection:
        await _record(connection, access, name, address, now)


async def _record(
    connection: Connection, access: ProjectAccess, name: str, address: str | None, now: Any
) -> None:
    await audit.record(
        connection,
        "project.rename",
        actor=audit.Actor(access.caller.account_id, access.caller.email, address),
        now=now,
        organization_id=access.organization.organization_id,
        project_ref=access.project.ref,
        details={"name": name},
    )


async def change(services: Services, project: ProjectRow, field: str, value: Any) -> None:
    """Sets one field of the spec, as in `database.storage.size`, unless it has another owner.

    Raises Clash, Invalid, Missing, KubeError.
    """
    namespace, name = project.cr_namespace, project.cr_name
    for _ in range(TRIES):
        live = await services.kube.get(PROJECTS, namespace, name)
        if live is None or live["metadata"]["uid"] != (project.cr_uid or live["metadata"]["uid"]):
            raise Missing("The project is not made yet, or gone already")
        if _value(live, field) == value:
            return
        others = owners(live, field) - {names.FIELD_MANAGER_API}
        if others:
            raise Clash(
                f"{field} belongs to {', '.join(sorted(others))}: change it there, or give it up"
                " there first"
            )
        patch = {
            "metadata": {"resourceVersion": live["metadata"]["resourceVersion"]},
            "spec": _nested(field, value),
        }
        try:
            await services.kube.merge_patch(
                PROJECTS, namespace, name, patch, manager=names.FIELD_MANAGER_API
            )
        except kube_errors.Conflict:
            continue  # somebody changed it between our reading and writing: look again
        except kube_errors.Invalid as error:
            raise Invalid(f"Kubernetes refuses the change: {error.message[:500]}") from error
        return
    raise Clash("The project is being changed by others at this moment: try again")


def owners(live: Mapping[str, Any], field: str) -> set[str]:
    """Managers that own a field of the spec, or a part of it."""
    found = set()
    steps = [f"f:{step}" for step in field.split(".")]
    for entry in (live.get("metadata") or {}).get("managedFields") or ():
        if not entry.get("subresource"):
            part = (entry.get("fieldsV1") or {}).get("f:spec")
            for step in steps:
                part = None if part is None else part.get(step)
            if part is not None:
                found.add(str(entry.get("manager") or "unknown"))
    return found


def _value(live: Mapping[str, Any], field: str) -> Any:
    part: Any = live.get("spec")
    for step in field.split("."):
        part = part.get(step) if isinstance(part, Mapping) else None
    return part


def _nested(field: str, value: Any) -> dict[str, Any]:
    first, _, rest = field.partition(".")
    return {first: _nested(rest, value) if rest else value}


def refuse_other_changes(wish: ChangeSettings, current: ProjectSettings) -> None:
    """Raises Invalid when something but the name is to be changed. Sending it as it is, is fine."""
    if not wish.model_fields_set:
        raise Invalid("name: give the new name; nothing else can be changed here")
    for field in sorted(wish.model_fields_set - {"name"}):
        sent = getattr(wish, field)
        if sent is not None and sent != getattr(current, field):
            raise Invalid(f"{field}: cannot be changed here; only name can")
