"""Projects over HTTP, on the paths of all generations of Studio."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from supaplane_api.access import Right
from supaplane_api.audit_notes import note_page_with_keys
from supaplane_api.caller import Caller, ProjectAccess
from supaplane_api.deps import AnyAccount, OnProject, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import (
    BUSY,
    CLUSTER,
    CREDENTIALS,
    DATABASE,
    SNAPSHOT,
    Missing,
    Unavailable,
)
from supaplane_api.services import Services

from . import change, create, keys, listing
from .schemas import (
    ApiInfo,
    ChangeSettings,
    CreatedProject,
    CreateProject,
    ListedProject,
    ProjectDetail,
    ProjectPage,
    ProjectSettings,
    ProjectStatus,
    RenamedProject,
    RenameProject,
)
from .views import View, view, views

router = APIRouter(tags=["projects"])
"""Served at the root and below /platform."""
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
Renamer = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_RENAME))]
Lister = Annotated[Caller, Depends(AnyAccount(with_projects=True))]
Creator = Annotated[Caller, Depends(AnyAccount(checks=Right.PROJECT_CREATE))]
SHOWN = may_answer(DATABASE, SNAPSHOT)
KEYED = may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS)


@router.get("/projects", openapi_extra=SHOWN)
async def projects(
    services: TheServices,
    caller: Lister,
    response: Response,
    version: Annotated[str | None, Header(alias="Version", max_length=16)] = None,
    limit: Annotated[int, Query(ge=1, le=listing.MOST)] = listing.DEFAULT_LIMIT,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    sort: Annotated[listing.Sort, Query()] = "name_asc",
    search: Annotated[str, Query(max_length=256)] = "",
) -> list[ListedProject] | ProjectPage:
    """The caller's projects: all of them as an array, or a page with the header `Version: 2`."""
    response.headers["Vary"] = "Version"
    _require_synced(services)
    found = views(caller.projects, services.snapshot, services.outside.now())
    if version == "2":
        pagination, cut = listing.page(found, limit=limit, offset=offset, sort=sort, search=search)
        return ProjectPage(pagination=pagination, projects=[listing.listed(one) for one in cut])
    places = listing.ordered(found, range(len(found)), "name_asc")
    return [listing.listed(found.at(place)) for place in places]


@router.post(
    "/projects",
    status_code=201,
    openapi_extra=may_answer(DATABASE, CLUSTER, BUSY, refuses=True, not_found=True),
)
async def create_project(
    services: TheServices, client: TheClient, caller: Creator, body: CreateProject
) -> CreatedProject:
    """Makes a project. The answer carries its real keys; it serves once it is ACTIVE_HEALTHY."""
    made = await create.create(services, caller, body, client.address)
    shown = View(made.row, None, "COMING_UP")
    return CreatedProject(
        **listing.common(shown),
        endpoint=services.settings.project_url(made.row.ref),
        anon_key=made.anon_key,
        service_key=made.service_key,
    )


@router.get("/projects/{ref}", openapi_extra=SHOWN)
@router.get("/project/{ref}", openapi_extra=SHOWN)
async def project(services: TheServices, access: Reader) -> ProjectDetail:
    """One project."""
    shown = _view(services, access)
    host, _ = keys.database_address(shown, services.settings)
    return ProjectDetail(
        **listing.common(shown),
        updated_at=shown.row.created_at.isoformat(),
        db_host=host,
        restUrl=f"{keys.api_url(shown, services.settings)}/rest/v1/",
        dbVersion=f"supabase-postgres-{shown.database_version}",
        volumeSizeGb=shown.volume_gigabytes,
        status_message=shown.seen.message if shown.seen else None,
    )


@router.patch(
    "/projects/{ref}", openapi_extra=may_answer(DATABASE, SNAPSHOT, CLUSTER, conflicts=True)
)
async def rename_project(
    services: TheServices, client: TheClient, access: Renamer, body: RenameProject
) -> RenamedProject:
    """Changes the name; the ref never changes."""
    shown = _view(services, access)
    await change.rename(services, access, body.name, client.address)
    return RenamedProject(id=shown.row.id, ref=shown.row.ref, name=body.name)


@router.get("/projects/{ref}/status", openapi_extra=SHOWN)
@router.get("/project/{ref}/status", openapi_extra=SHOWN)
async def status(services: TheServices, access: Reader) -> ProjectStatus:
    """The state in one word. Costs no call to Kubernetes: poll it."""
    return ProjectStatus(status=_view(services, access).status)


@router.get("/projects/{ref}/api", openapi_extra=KEYED)
@router.get("/project/{ref}/api", openapi_extra=KEYED)
@router.get("/props/project/{ref}/api", openapi_extra=KEYED)
async def api(services: TheServices, client: TheClient, access: Reader) -> ApiInfo:
    """How the data API is called, and with which keys; who sees the secret one is noted."""
    shown = _view(services, access)
    values = await keys.read_keys(services, shown)
    await note_page_with_keys(services, access, client.address, "service-role-key")
    return keys.api_answer(shown, values, access.role, services.settings)


@router.get("/projects/{ref}/settings", openapi_extra=KEYED)
@router.get("/project/{ref}/settings", openapi_extra=KEYED)
@router.get("/props/project/{ref}/settings", openapi_extra=KEYED)
async def settings(services: TheServices, client: TheClient, access: Reader) -> ProjectSettings:
    """Settings and keys; the secret ones only for roles that may see them, which is noted."""
    shown = _view(services, access)
    values = await keys.read_keys(services, shown)
    await note_page_with_keys(services, access, client.address, *keys.TOLD_BY_SETTINGS)
    return keys.settings_answer(shown, values, access.role, services.settings)


@router.put(
    "/projects/{ref}/settings",
    openapi_extra=may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS, conflicts=True),
)
@router.put(
    "/project/{ref}/settings",
    openapi_extra=may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS, conflicts=True),
)
async def change_settings(
    services: TheServices, client: TheClient, access: Renamer, body: ChangeSettings
) -> ProjectSettings:
    """Changes the name. Other fields may be sent as they are; a change of them is refused."""
    shown = _view(services, access)
    values = await keys.read_keys(services, shown)
    await note_page_with_keys(services, access, client.address, *keys.TOLD_BY_SETTINGS)
    current = keys.settings_answer(shown, values, access.role, services.settings)
    change.refuse_other_changes(body, current)
    if body.name is None or body.name == current.name:
        return current
    await change.rename(services, access, body.name, client.address)
    renamed = current.project.model_copy(update={"name": body.name})
    return current.model_copy(update={"name": body.name, "project": renamed})


def _view(services: Services, access: ProjectAccess) -> View:
    _require_synced(services)
    shown = view(access.project, services.snapshot, services.outside.now())
    if shown is None:
        raise Missing("There is no such project")
    return shown


def _require_synced(services: Services) -> None:
    if not services.snapshot.synced:
        raise Unavailable(SNAPSHOT)
