"""What do the project's own Auth and Storage say to a member? Proxied with its service key.

Every path is put together here; of a caller's text only whole encoded segments become part of it.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import JsonValue

from supaplane_api import audit
from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.inside.ask import ask_gateway, segment
from supaplane_api.problems import CLUSTER, CREDENTIALS, DATABASE, SERVICE, SNAPSHOT
from supaplane_api.services import Services

from .schemas import BucketChange, CreateBucket, CreateUser, ListObjects, Paths, UserChange

router = APIRouter()
"""Served at the root and below /platform."""
UserChanger = Annotated[ProjectAccess, Depends(OnProject(Right.USERS_CHANGE))]
FileReader = Annotated[ProjectAccess, Depends(OnProject(Right.FILES_READ))]
FileChanger = Annotated[ProjectAccess, Depends(OnProject(Right.FILES_CHANGE))]
PROXIED = may_answer(DATABASE, SNAPSHOT, CLUSTER, CREDENTIALS, SERVICE)
USERS = "/auth/v1/admin/users"
BUCKETS = "/storage/v1/bucket"
OBJECTS = "/storage/v1/object"


@router.post("/auth/{ref}/users", status_code=201, tags=["users"], openapi_extra=PROXIED)
async def create_user(
    services: TheServices, client: TheClient, access: UserChanger, body: CreateUser
) -> JsonValue:
    """Makes a user of the project."""
    sent = body.model_dump(exclude_unset=True)
    return await _change(services, client, access, "user.create", "POST", USERS, sent)


@router.patch("/auth/{ref}/users/{id}", tags=["users"], openapi_extra=PROXIED)
async def change_user(
    services: TheServices, client: TheClient, access: UserChanger, id: UUID, body: UserChange
) -> JsonValue:
    """Bans a user for a time, or no longer."""
    sent = body.model_dump(exclude_unset=True)
    return await _change(services, client, access, "user.change", "PUT", f"{USERS}/{id}", sent)


@router.delete("/auth/{ref}/users/{id}", tags=["users"], openapi_extra=PROXIED)
async def delete_user(
    services: TheServices,
    client: TheClient,
    access: UserChanger,
    id: UUID,
    soft_delete: bool = False,
) -> JsonValue:
    """Deletes a user; softly: the row stays, and nobody can sign in with it."""
    sent = {"should_soft_delete": soft_delete}
    return await _change(services, client, access, "user.delete", "DELETE", f"{USERS}/{id}", sent)


@router.get("/storage/{ref}/buckets", tags=["storage"], openapi_extra=PROXIED)
async def buckets(services: TheServices, access: FileReader) -> JsonValue:
    """The buckets of the project."""
    return await _read(services, access, "GET", BUCKETS)


@router.post("/storage/{ref}/buckets", status_code=201, tags=["storage"], openapi_extra=PROXIED)
async def create_bucket(
    services: TheServices, client: TheClient, access: FileChanger, body: CreateBucket
) -> JsonValue:
    """Makes a bucket."""
    sent = body.model_dump(exclude_unset=True) | {"name": body.id}
    return await _change(services, client, access, "bucket.create", "POST", BUCKETS, sent)


@router.get("/storage/{ref}/buckets/{id}", tags=["storage"], openapi_extra=PROXIED)
async def bucket(services: TheServices, access: FileReader, id: str) -> JsonValue:
    """One bucket."""
    return await _read(services, access, "GET", f"{BUCKETS}/{segment(id)}")


@router.patch("/storage/{ref}/buckets/{id}", tags=["storage"], openapi_extra=PROXIED)
async def change_bucket(
    services: TheServices, client: TheClient, access: FileChanger, id: str, body: BucketChange
) -> JsonValue:
    """Changes who may read a bucket, and what may be put into it."""
    path, sent = f"{BUCKETS}/{segment(id)}", body.model_dump(exclude_unset=True)
    return await _change(services, client, access, "bucket.change", "PUT", path, sent)


@router.delete("/storage/{ref}/buckets/{id}", tags=["storage"], openapi_extra=PROXIED)
async def delete_bucket(
    services: TheServices, client: TheClient, access: FileChanger, id: str
) -> JsonValue:
    """Deletes a bucket, which must be empty."""
    path = f"{BUCKETS}/{segment(id)}"
    return await _change(services, client, access, "bucket.delete", "DELETE", path, None)


@router.post(
    "/storage/{ref}/buckets/{id}/empty", status_code=201, tags=["storage"], openapi_extra=PROXIED
)
async def empty_bucket(
    services: TheServices, client: TheClient, access: FileChanger, id: str
) -> JsonValue:
    """Deletes everything in a bucket."""
    path = f"{BUCKETS}/{segment(id)}/empty"
    return await _change(services, client, access, "bucket.empty", "POST", path, {})


@router.post(
    "/storage/{ref}/buckets/{id}/objects/list",
    status_code=201,
    tags=["storage"],
    openapi_extra=PROXIED,
)
async def objects(
    services: TheServices, access: FileReader, id: str, body: ListObjects
) -> JsonValue:
    """What is in a folder of a bucket."""
    options = body.options.model_dump(exclude_unset=True) if body.options else {}
    sent = {"prefix": body.path, **options}
    return await _read(services, access, "POST", f"{OBJECTS}/list/{segment(id)}", sent)


@router.delete("/storage/{ref}/buckets/{id}/objects", tags=["storage"], openapi_extra=PROXIED)
async def delete_objects(
    services: TheServices, client: TheClient, access: FileChanger, id: str, body: Paths
) -> JsonValue:
    """Deletes files."""
    path, sent = f"{OBJECTS}/{segment(id)}", {"prefixes": body.paths}
    return await _change(services, client, access, "object.delete", "DELETE", path, sent)


async def _read(
    services: Services, access: ProjectAccess, method: str, path: str, body: Any = None
) -> JsonValue:
    answer: JsonValue = await ask_gateway(services, access, method, path, body=body)
    return answer


async def _change(
    services: Services,
    client: TheClient,
    access: ProjectAccess,
    action: str,
    method: str,
    path: str,
    body: Any,
) -> JsonValue:
    """Asks, and writes into the audit log what was done; the body may hold a password."""
    answer: JsonValue = await ask_gateway(services, access, method, path, body=body)
    async with services.database.connection() as connection:
        await audit.record(
            connection,
            action,
            actor=audit.Actor(access.caller.account_id, access.caller.email, client.address),
            now=services.outside.now(),
            organization_id=access.organization.organization_id,
            project_ref=access.project.ref,
            details={"path": path},
        )
    return answer
