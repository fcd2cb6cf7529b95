"""What else do pages of a project ask for? Who is in it, its branches, and whether it is marked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.members import repository as members
from supaplane_api.problems import DATABASE, SNAPSHOT, NotOffered
from supaplane_api.schema import Answer, Body

router = APIRouter(prefix="/projects/{ref}", tags=["projects"])
"""Served at the root and below /platform."""
v1 = APIRouter(prefix="/v1/projects/{ref}", tags=["projects"])
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
MemberReader = Annotated[ProjectAccess, Depends(OnProject(Right.MEMBERS_READ))]
Configurer = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_CONFIGURE))]
SHOWN = may_answer(DATABASE, SNAPSHOT)


class ProjectMember(Answer):
    """Somebody who may see the project."""

    user_id: str
    primary_email: str
    username: str


class ProjectMembers(Answer):
    """Everybody who may see the project."""

    members: list[ProjectMember]


class Sensitivity(Answer):
    """Whether the project is marked as one with sensitive data."""

    is_sensitive: bool


class MarkSensitive(Body):
    """A mark that this platform cannot keep."""

    is_sensitive: bool


class Branch(Answer):
    """A branch; there are none here."""

    id: str


@router.get("/members", openapi_extra=SHOWN)
async def project_members(services: TheServices, access: MemberReader) -> ProjectMembers:
    """Everybody who may see the project."""
    shown(services, access)
    rows = await services.database.read(
        lambda connection: members.members(connection, access.organization.organization_id)
    )
    return ProjectMembers(
        members=[
            ProjectMember(
                user_id=str(row.gotrue_id), primary_email=row.email, username=row.username
            )
            for row in rows
            if row.project_refs is None or access.project.ref in row.project_refs
        ]
    )


@router.patch(
    "/settings/sensitivity", openapi_extra=may_answer(DATABASE, SNAPSHOT, not_offered=True)
)
async def mark_sensitive(
    services: TheServices, access: Configurer, body: MarkSensitive
) -> Sensitivity:
    """Whether the project holds sensitive data; the mark cannot be kept yet, so `false` it is."""
    shown(services, access)
    if body.is_sensitive:
        raise NotOffered("Projects cannot be marked as sensitive on this platform yet")
    return Sensitivity(is_sensitive=False)


@v1.get("/branches", openapi_extra=SHOWN)
async def branches(services: TheServices, access: Reader) -> list[Branch]:
    """Branches of the project: none."""
    shown(services, access)
    return []


@v1.get("/actions", openapi_extra=SHOWN)
async def actions(services: TheServices, access: Reader) -> list[Branch]:
    """What was done for branches: nothing."""
    shown(services, access)
    return []
