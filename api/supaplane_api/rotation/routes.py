"""New secrets over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import shown
from supaplane_api.problems import BUSY, CLUSTER, DATABASE, SNAPSHOT
from supaplane_api.projects.snapshot import PROJECTS

from . import service
from .progress import told
from .schemas import Begun, NewJwtSecret, NewPassword, SecretsUpdateStatus

router = APIRouter(tags=["project keys"])
v1 = APIRouter(prefix="/v1/projects/{ref}", tags=["project keys"])
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_READ))]
Configurer = Annotated[ProjectAccess, Depends(OnProject(Right.PROJECT_CONFIGURE))]
SHOWN = may_answer(DATABASE, SNAPSHOT, CLUSTER)
ASKED = may_answer(DATABASE, SNAPSHOT, CLUSTER, BUSY, conflicts=True, limited=True)
BEGUN = Begun(message="The change is under way: see status.operation of the SupabaseProject")


@router.patch("/projects/{ref}/config/secrets", openapi_extra=ASKED)
async def change_jwt_secret(
    services: TheServices, client: TheClient, access: Configurer, body: NewJwtSecret
) -> Begun:
    """Another JWT secret. Every token and key that was signed before is refused afterwards; the
    project has new anon and service keys."""
    shown(services, access)
    await service.change_jwt_secret(services, access, body, client.address)
    return Begun(message="The change is under way: see config/secrets/update-status")


@router.get("/projects/{ref}/jwt-secret-update-status", openapi_extra=SHOWN)
@router.get("/project/{ref}/jwt-secret-update-status", openapi_extra=SHOWN)
@router.get("/props/project/{ref}/jwt-secret-update-status", openapi_extra=SHOWN)
@router.get("/projects/{ref}/config/secrets/update-status", openapi_extra=SHOWN)
async def jwt_secret_update_status(services: TheServices, access: Reader) -> SecretsUpdateStatus:
    """How the last change of the JWT secret goes. Asks Kubernetes, so that a change that was just
    written is there."""
    shown(services, access)
    project = access.project
    return told(await services.kube.get(PROJECTS, project.cr_namespace, project.cr_name) or {})


@router.patch("/projects/{ref}/db-password", openapi_extra=ASKED)
@v1.patch("/database/password", openapi_extra=ASKED)
async def change_database_password(
    services: TheServices, client: TheClient, access: Configurer, body: NewPassword
) -> Begun:
    """Another password of the database role postgres. Sessions that are open stay; services get it
    once the database takes it: in seconds, or within some two minutes."""
    shown(services, access)
    await service.change_database_password(services, access, body.password, client.address)
    return BEGUN
