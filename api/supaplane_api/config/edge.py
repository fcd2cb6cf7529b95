"""What do all configuration pages do alike? Read the spec as it is, change it, and note that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends

from supaplane_api.access import Right
from supaplane_api.audit_notes import note
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.problems import CLUSTER, DATABASE, SNAPSHOT, Clash, Invalid
from supaplane_api.projects import change
from supaplane_api.projects.change import Spec, Wish
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_api.projects.views import View
from supaplane_api.services import Services
from supaplane_contract import (
    ProjectSpec,
    ProjectStatus,
    SpecUnreadable,
    read_spec,
    read_status,
)

READ = may_answer(DATABASE, SNAPSHOT, CLUSTER, conflicts=True)
WRITTEN = may_answer(DATABASE, SNAPSHOT, CLUSTER, conflicts=True)
PARTLY = may_answer(DATABASE, SNAPSHOT, CLUSTER, conflicts=True, not_offered=True)
SHOWN = may_answer(DATABASE, SNAPSHOT)
REFUSED = may_answer(DATABASE, SNAPSHOT, not_offered=True)


@dataclass(frozen=True)
class Project:
    """A project as it is shown, and its spec as it is at this moment."""

    view: View
    spec: ProjectSpec
    status: ProjectStatus
    settled: bool
    """Whether the operator has read this spec already."""


Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
Configurer = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_CONFIGURE))]


async def look(services: Services, access: ProjectAccess) -> Project:
    """The project with its spec. Raises Missing, Unavailable, Clash, KubeError."""
    found = shown(services, access)
    row = access.project
    live = await services.kube.get(PROJECTS, row.cr_namespace, row.cr_name)
    if live is None:
        return Project(found, understood(row.requested), ProjectStatus(), settled=False)
    status = read_status(live.get("status") or {})
    settled = status.observed_generation == live["metadata"].get("generation")
    return Project(found, understood(live.get("spec") or {}), status, settled)


def understood(spec: Spec) -> ProjectSpec:
    """The spec by the contract. Raises Clash for one that a newer version wrote."""
    try:
        return read_spec(spec)[0]
    except SpecUnreadable as error:
        raise Clash(
            f"The SupabaseProject cannot be read: {error}; change it with kubectl"
        ) from None


async def wish(
    services: Services,
    access: ProjectAccess,
    action: str,
    address: str | None,
    wish_of: Callable[[ProjectSpec], Wish],
) -> None:
    """Changes what `wish_of` makes of the spec, and writes the fields' names into the audit log.

    Raises Clash, Invalid, Missing, Unavailable, KubeError.
    """
    shown(services, access)
    fields = await change.rewrite(services, access.project, lambda spec: wish_of(understood(spec)))
    if fields:
        await note(services, access, action, address, fields=list(fields))


def refuse_others(
    sent: Mapping[str, Any], told: Mapping[str, Any], carried: Mapping[str, Any]
) -> None:
    """Raises Invalid for a known setting that is to be changed and that nothing here carries.

    Sent back as it is told, it is fine.
    """
    for key, value in sent.items():
        if key not in carried and value is not None and value != told.get(key):
            raise Invalid(f"{key}: cannot be changed on this platform; leave it out")
