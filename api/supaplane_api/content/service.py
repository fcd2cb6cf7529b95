"""What may be saved where, and how are its rows shown?"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from supaplane_api import audit
from supaplane_api.caller import ProjectAccess
from supaplane_api.database import Connection
from supaplane_api.inside.ask import encoded
from supaplane_api.problems import Invalid, Missing
from supaplane_api.services import Services

from . import repository
from .repository import Filter, Place
from .schemas import Folder, FolderContents, FolderParts, Item, ItemHead, Items, Person, SaveItem

MOST = 1000
MOST_IDS = 200


def place_of(access: ProjectAccess) -> Place:
    """The caller's view of the project."""
    return Place(access.project.id, access.caller.account_id)


def offset_of(cursor: str) -> int:
    """Where a part begins. Raises Invalid for a cursor that is none of ours."""
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise Invalid("cursor: send the one of the last answer")
    return int(cursor)


def ids_of(text: str) -> list[UUID]:
    """Ids separated by commas. Raises Invalid."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or len(parts) > MOST_IDS:
        raise Invalid(f"ids: send 1 to {MOST_IDS} ids, separated by commas")
    try:
        return [UUID(part) for part in parts]
    except ValueError:
        raise Invalid("ids: must be UUIDs, separated by commas") from None


async def listed(
    services: Services, place: Place, which: Filter, *, limit: int, cursor: str
) -> Items:
    """A part of what is saved."""
    offset = offset_of(cursor)
    async with services.database.connection() as connection:
        rows = await repository.items(connection, place, which, limit=limit + 1, offset=offset)
    more = str(offset + limit) if len(rows) > limit else None
    return Items(cursor=more, data=[item(row) for row in rows[:limit]])


async def one(services: Services, place: Place, id: UUID) -> Item:
    """One. Raises Missing."""
    async with services.database.connection() as connection:
        row = await repository.item(connection, place, id)
    if row is None:
        raise Missing("There is no such saved query")
    return item(row)


async def save(
    services: Services, access: ProjectAccess, wish: SaveItem, address: str | None
) -> Item:
    """Saves, and shows what is saved now. Raises Invalid, Missing."""
    body = encoded(wish.content) or b"{}"
    if b"\\u0000" in body:
        raise Invalid("content: must not hold the character NUL")
    place, now = place_of(access), services.outside.now()
    id = wish.id or UUID(bytes=services.outside.random_bytes(16), version=4)
    values = {
        "id": id,
        "name": wish.name,
        "description": wish.description or "",
        "type": wish.type,
        "visibility": wish.visibility,
        "content": body.decode(),
        "favorite": wish.favorite,
        "folder_id": wish.folder_id,
    }
    async with services.database.transaction() as connection:
        if wish.folder_id is not None:
            await _require_folder(connection, place, wish.folder_id)
        if not await repository.save(connection, place, values, now):
            raise Missing("There is no such saved query")
        await _note(services, connection, access, "content.save", address, ids=[str(id)])
        row = await repository.item(connection, place, id)
        if row is None:
            raise Invalid("visibility: what others may see is made private by its owner only")
    return item(row)


async def delete(
    services: Services, access: ProjectAccess, ids: list[UUID], address: str | None
) -> list[UUID]:
    """The ids of what is gone now."""
    async with services.database.transaction() as connection:
        gone = await repository.delete(connection, place_of(access), ids)
        if gone:
            names = [str(id) for id in gone]
            await _note(services, connection, access, "content.delete", address, ids=names)
    return gone


async def contents(
    services: Services, place: Place, folder: UUID | None, which: Filter, limit: int, cursor: str
) -> FolderContents:
    """What is in a folder; in none, for None. Raises Missing."""
    offset = offset_of(cursor)
    async with services.database.connection() as connection:
        if folder is not None:
            await _require_folder(connection, place, folder)
        rows = await repository.items(connection, place, which, limit=limit + 1, offset=offset)
        inner = await repository.folders(connection, place, folder)
    more = str(offset + limit) if len(rows) > limit else None
    parts = FolderParts(
        contents=[head(row) for row in rows[:limit]], folders=[shown_folder(f) for f in inner]
    )
    return FolderContents(cursor=more, data=parts)


async def make_folder(
    services: Services, access: ProjectAccess, name: str, parent: UUID | None, address: str | None
) -> Folder:
    """The new folder. Raises Missing."""
    place = place_of(access)
    async with services.database.transaction() as connection:
        if parent is not None:
            await _require_folder(connection, place, parent)
        row = await repository.make_folder(connection, place, name, parent, services.outside.now())
        await _note(services, connection, access, "content.folder", address, ids=[str(row["id"])])
    return shown_folder(row)


async def rename_folder(
    services: Services, access: ProjectAccess, id: UUID, name: str, address: str | None
) -> None:
    """Changes the name. Raises Missing."""
    async with services.database.transaction() as connection:
        if not await repository.rename_folder(connection, place_of(access), id, name):
            raise Missing("There is no such folder")
        await _note(services, connection, access, "content.folder.rename", address, ids=[str(id)])


async def delete_folders(
    services: Services, access: ProjectAccess, ids: list[UUID], address: str | None
) -> None:
    """Removes folders; what lay in them stays, outside of any. Those that are gone are fine."""
    async with services.database.transaction() as connection:
        gone = await repository.delete_folders(connection, place_of(access), ids)
        if gone:
            names = [str(id) for id in gone]
            await _note(services, connection, access, "content.folder.delete", address, ids=names)


async def _require_folder(connection: Connection, place: Place, id: UUID) -> None:
    if not await repository.is_folder(connection, place, id):
        raise Missing("There is no such folder")


async def _note(
    services: Services,
    connection: Connection,
    access: ProjectAccess,
    action: str,
    address: str | None,
    **details: Any,
) -> None:
    await audit.record(
        connection,
        action,
        actor=audit.Actor(access.caller.account_id, access.caller.email, address),
        now=services.outside.now(),
        organization_id=access.organization.organization_id,
        project_ref=access.project.ref,
        details=details,
    )


def head(row: dict[str, Any]) -> ItemHead:
    """A row without what is in it."""
    return ItemHead(**_head(row))


def item(row: dict[str, Any]) -> Item:
    """A row."""
    updater = row["updated_by"]
    return Item(
        **_head(row),
        content=row["content"],
        owner=Person(id=row["owner_id"], username=row["owner_name"]),
        updated_by=Person(id=updater, username=row["updater_name"]) if updater else None,
    )


def shown_folder(row: dict[str, Any]) -> Folder:
    """A folder's row."""
    return Folder(
        id=str(row["id"]),
        name=row["name"],
        owner_id=row["owner_id"],
        parent_id=str(row["parent_id"]) if row["parent_id"] else None,
        project_id=row["project_id"],
    )


def _head(row: dict[str, Any]) -> dict[str, Any]:
    same = ("name", "description", "type", "visibility", "favorite", "owner_id", "project_id")
    return {
        **{key: row[key] for key in same},
        "id": str(row["id"]),
        "folder_id": str(row["folder_id"]) if row["folder_id"] else None,
        "inserted_at": row["created_at"].isoformat(),
        "updated_at": row["updated_at"].isoformat(),
        "last_updated_by": row["updated_by"],
    }
