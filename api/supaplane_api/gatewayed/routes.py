"""What do the project's own Auth and Storage say to a member? Proxied with its service key.

Every path is put together here; of a caller's text only whole encoded segments become part of it.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import JsonValue

from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.inside.ask import segment

from .proxy import BUCKETS, OBJECTS, PROXIED, USERS, change, read
from .schemas import BucketChange, CreateBucket, CreateUser, ListObjects, Paths, UserChange

router = APIRouter()
"""Served at the root and below /platform."""
UserChanger = Annotated[ProjectAccess, Depends(OnProject(Right.USERS_CHANGE))]
FileReader = Annotated[ProjectAccess, Depends(OnProject(Right.FILES_READ))]
FileChanger = Annotated[ProjectAccess, Depends(OnProject(Right.FILES_CHANGE))]


@router.post("/auth/{ref}/users", status_code=201, tags=["users"], openapi_extra=PROXIED)
async def create_user(
    services: TheServices, client: TheClient, access: UserChanger, body: CreateUser
) -> JsonValue:
    """Makes a user of the project."""
    sent = body.model_dump(exclude_unset=True)
    return await change(services, client, access, "user.create", "POST", USERS, sent)


@router.patch("/auth/{ref}/users/{id}", tags=["users"], openapi_extra=PROXIED)
async def change_user(
    services: TheServices, client: TheClient, access: UserChanger, id: UUID, body: UserChange
) -> JsonValue:
    """Bans a user for a time, or no longer."""
    sent = body.model_dump(exclude_unset=True)
    return await change(services, client, access, "user.change", "PUT", f"{USERS}/{id}", sent)


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
    return await change(services, client, access, "user.delete", "DELETE", f"{USERS}/{id}", sent)


@router.get("/storage/{ref}/buckets", tags=["storage"], openapi_extra=PROXIED)
async def buckets(services: TheServices, access: FileReader) -> JsonValue:
    """The buckets of the project."""
    return await read(services, access, "GET", BUCKETS)


@router.post("/storage/{ref}/buckets", status_code=201, tags=["storage"], openapi_extra=PROXIED)
async def create_bucket(
    services: TheServices, client: TheClient, access: FileChanger, body: CreateBucket
) -> JsonValue:
    """Makes a bucket."""
    sent = body.model_dump(exclude_unset=True) | {"name": body.id}
    return await change(services, client, access, "bucket.create", "POST", BUCKETS, sent)


@router.get("/storage/{ref}/buckets/{id}", tags=["storage"], openapi_extra=PROXIED)
async def bucket(services: TheServices, access: FileReader, id: str) -> JsonValue:
    """One bucket."""
    return await read(services, access, "GET", f"{BUCKETS}/{segment(id)}")


@router.patch("/storage/{ref}/buckets/{id}", tags=["storage"], openapi_extra=PROXIED)
async def change_bucket(
    services: TheServices, client: TheClient, access: FileChanger, id: str, body: BucketChange
) -> JsonValue:
    """Changes who may read a bucket, and what may be put into it."""
    path, sent = f"{BUCKETS}/{segment(id)}", body.model_dump(exclude_unset=True)
    return await change(services, client, access, "bucket.change", "PUT", path, sent)


@router.delete("/storage/{ref}/buckets/{id}", tags=["storage"], openapi_extra=PROXIED)
async def delete_bucket(
    services: TheServices, client: TheClient, access: FileChanger, id: str
) -> JsonValue:
    """Deletes a bucket, which must be empty."""
    path = f"{BUCKETS}/{segment(id)}"
    return await change(services, client, access, "bucket.delete", "DELETE", path, None)


@router.post(
    "/storage/{ref}/buckets/{id}/empty", status_code=201, tags=["storage"], openapi_extra=PROXIED
)
async def empty_bucket(
    services: TheServices, client: TheClient, access: FileChanger, id: str
) -> JsonValue:
    """Deletes everything in a bucket."""
    path = f"{BUCKETS}/{segment(id)}/empty"
    return await change(services, client, access, "bucket.empty", "POST", path, {})


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
    return await read(services, access, "POST", f"{OBJECTS}/list/{segment(id)}", sent)


@router.delete("/storage/{ref}/buckets/{id}/objects", tags=["storage"], openapi_extra=PROXIED)
async def delete_objects(
    services: TheServices, client: TheClient, access: FileChanger, id: str, body: Paths
) -> JsonValue:
    """Deletes files."""
    path, sent = f"{OBJECTS}/{segment(id)}", {"prefixes": body.paths}
    return await change(services, client, access, "object.delete", "DELETE", path, sent)
