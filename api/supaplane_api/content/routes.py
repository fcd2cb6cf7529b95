"""Saved queries over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from supaplane_api.access import Right
from supaplane_api.caller import ProjectAccess
from supaplane_api.deps import OnProject, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE
from supaplane_api.schema import Empty

from . import repository, service
from .repository import Filter, Order, Sort
from .schemas import (
    Counts,
    Deleted,
    Folder,
    FolderContents,
    Item,
    Items,
    Kind,
    MakeFolder,
    RenameFolder,
    SaveItem,
    Visibility,
)

router = APIRouter(prefix="/projects/{ref}/content", tags=["content"])
"""Served at the root and below /platform."""
Reader = Annotated[ProjectAccess, Depends(OnProject(Right.CONTENT_READ))]
Writer = Annotated[ProjectAccess, Depends(OnProject(Right.CONTENT_WRITE))]
Limit = Annotated[int, Query(ge=1, le=service.MOST)]
Text = Annotated[str, Query(max_length=256, pattern=r"^[^\x00]*$")]
Ids = Annotated[str, Query(max_length=8192)]
ANSWERS = may_answer(DATABASE)


@router.get("", openapi_extra=ANSWERS)
async def content(
    services: TheServices,
    access: Reader,
    type: Kind | None = None,
    visibility: Visibility | None = None,
    name: Text = "",
    favorite: bool | None = None,
    sort_by: Sort = "inserted_at",
    sort_order: Order = "desc",
    limit: Limit = service.MOST,
    cursor: Text = "",
) -> Items:
    """What the caller saved in the project, and what others share there."""
    which = Filter(type, visibility, name, favorite, sort=sort_by, order=sort_order)
    return await service.listed(
        services, service.place_of(access), which, limit=limit, cursor=cursor
    )


@router.post("", status_code=201, openapi_extra=ANSWERS)
async def make_content(
    services: TheServices, client: TheClient, access: Writer, body: SaveItem
) -> Item:
    """Saves a query or a report, as older clients do it."""
    return await service.save(services, access, body, client.address)


@router.put("", openapi_extra=ANSWERS)
async def save_content(
    services: TheServices, client: TheClient, access: Writer, body: SaveItem
) -> Item:
    """Saves a query or a report; with the id of one that is there, in its place."""
    return await service.save(services, access, body, client.address)


@router.delete("", openapi_extra=ANSWERS)
async def delete_content(
    services: TheServices, client: TheClient, access: Writer, ids: Ids
) -> list[Deleted]:
    """Forgets what has these ids, and tells which of them were there."""
    gone = await service.delete(services, access, service.ids_of(ids), client.address)
    return [Deleted(id=str(id)) for id in gone]


@router.get("/count", openapi_extra=ANSWERS)
async def count_content(
    services: TheServices, access: Reader, type: Kind | None = None, name: Text = ""
) -> Counts:
    """How much is saved."""
    async with services.database.connection() as connection:
        favorites, private, shared = await repository.counts(
            connection, service.place_of(access), type, name
        )
    return Counts(favorites=favorites, private=private, shared=shared)


@router.get("/item/{id}", openapi_extra=ANSWERS)
async def content_item(services: TheServices, access: Reader, id: UUID) -> Item:
    """One of them."""
    return await service.one(services, service.place_of(access), id)


@router.get("/folders", openapi_extra=ANSWERS)
async def content_folders(
    services: TheServices,
    access: Reader,
    type: Kind | None = None,
    visibility: Visibility | None = None,
    name: Text = "",
    sort_by: Sort = "inserted_at",
    sort_order: Order = "desc",
    limit: Limit = 100,
    cursor: Text = "",
) -> FolderContents:
    """The caller's folders, and what is saved outside of them."""
    which = Filter(type, visibility, name, None, False, None, sort_by, sort_order)
    place = service.place_of(access)
    return await service.contents(services, place, None, which, limit, cursor)


@router.post("/folders", status_code=201, openapi_extra=ANSWERS)
async def make_content_folder(
    services: TheServices, client: TheClient, access: Writer, body: MakeFolder
) -> Folder:
    """Makes a folder of the caller's own."""
    return await service.make_folder(services, access, body.name, body.parent_id, client.address)


@router.delete("/folders", openapi_extra=ANSWERS)
async def delete_content_folders(
    services: TheServices, client: TheClient, access: Writer, ids: Ids
) -> Empty:
    """Removes folders; what lay in them stays, outside of any."""
    await service.delete_folders(services, access, service.ids_of(ids), client.address)
    return Empty()


@router.get("/folders/{id}", openapi_extra=ANSWERS)
async def content_folder(
    services: TheServices,
    access: Reader,
    id: UUID,
    name: Text = "",
    sort_by: Sort = "inserted_at",
    sort_order: Order = "desc",
    limit: Limit = 100,
    cursor: Text = "",
) -> FolderContents:
    """What is in a folder."""
    which = Filter(None, None, name, None, False, id, sort_by, sort_order)
    return await service.contents(services, service.place_of(access), id, which, limit, cursor)


@router.patch("/folders/{id}", openapi_extra=ANSWERS)
async def rename_content_folder(
    services: TheServices, client: TheClient, access: Writer, id: UUID, body: RenameFolder
) -> Empty:
    """Changes a folder's name."""
    await service.rename_folder(services, access, id, body.name, client.address)
    return Empty()
