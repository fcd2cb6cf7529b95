"""What is saved, and for whom? Every statement names the project and the account that asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.rows import dict_row

from supaplane_api.database import Connection

Sort = Literal["name", "inserted_at"]
Order = Literal["asc", "desc"]
_ITEM: LiteralString = """
SELECT c.*, o.username AS owner_name, u.username AS updater_name
  FROM content c JOIN accounts o ON o.id = c.owner_id
       LEFT JOIN accounts u ON u.id = c.updated_by
"""
_SEEN: LiteralString = (
    " c.project_id = %(project)s AND (c.owner_id = %(account)s OR c.visibility <> 'user')"
)
_COUNTS: LiteralString = f"""
SELECT count(*) FILTER (WHERE c.favorite), count(*) FILTER (WHERE c.visibility = 'user'),
       count(*) FILTER (WHERE c.visibility <> 'user')
  FROM content c
 WHERE {_SEEN} AND (%(type)s::text IS NULL OR c.type = %(type)s)
   AND (%(name)s::text = '' OR position(lower(%(name)s) in lower(c.name)) > 0)
"""  # noqa: S608, put together from constants of this file
_SAVE: LiteralString = f"""
INSERT INTO content AS c (id, project_id, owner_id, folder_id, name, description, type,
       visibility, content, favorite, created_at, updated_at, updated_by)
VALUES (%(id)s, %(project)s, %(account)s, %(folder_id)s, %(name)s, %(description)s, %(type)s,
       %(visibility)s, %(content)s::jsonb, coalesce(%(favorite)s, false), %(now)s, %(now)s,
       %(account)s)
ON CONFLICT (id) DO UPDATE SET folder_id = excluded.folder_id, name = excluded.name,
       description = excluded.description, type = excluded.type,
       visibility = excluded.visibility, content = excluded.content,
       favorite = coalesce(%(favorite)s, c.favorite), updated_at = excluded.updated_at,
       updated_by = excluded.updated_by
 WHERE {_SEEN} RETURNING c.id
"""  # noqa: S608
_DELETE: LiteralString = f"""
DELETE FROM content c WHERE c.id = ANY(%(ids)s) AND {_SEEN} RETURNING c.id
"""  # noqa: S608
_ORDERS: dict[tuple[Sort, Order], LiteralString] = {
    ("name", "asc"): " ORDER BY lower(c.name), c.id",
    ("name", "desc"): " ORDER BY lower(c.name) DESC, c.id",
    ("inserted_at", "asc"): " ORDER BY c.created_at, c.id",
    ("inserted_at", "desc"): " ORDER BY c.created_at DESC, c.id",
}


@dataclass(frozen=True)
class Place:
    """Whose view of which project."""

    project: int
    account: int

    @property
    def values(self) -> dict[str, Any]:
        """As parameters of a statement."""
        return {"project": self.project, "account": self.account}


@dataclass(frozen=True)
class Filter:
    """Which of what is saved."""

    type: str | None = None
    visibility: str | None = None
    name: str = ""
    favorite: bool | None = None
    in_folders: bool = True
    """False: only what lies in `folder`."""
    folder: UUID | None = None
    sort: Sort = "inserted_at"
    order: Order = "desc"


async def items(
    connection: Connection, place: Place, which: Filter, *, limit: int, offset: int
) -> list[dict[str, Any]]:
    """The rows that the account may see."""
    sql = (
        _ITEM + "WHERE" + _SEEN + " AND (%(type)s::text IS NULL OR c.type = %(type)s)"
        " AND (%(visibility)s::text IS NULL OR c.visibility = %(visibility)s)"
        " AND (%(favorite)s::boolean IS NULL OR c.favorite = %(favorite)s)"
        " AND (%(name)s::text = '' OR position(lower(%(name)s) in lower(c.name)) > 0)"
        " AND (%(in_folders)s::boolean OR c.folder_id IS NOT DISTINCT FROM %(folder)s::uuid)"
        + _ORDERS[which.sort, which.order]
        + " LIMIT %(limit)s OFFSET %(offset)s"
    )
    values = place.values | vars(which) | {"limit": limit, "offset": offset}
    cursor = connection.cursor(row_factory=dict_row)
    return await (await cursor.execute(sql, values)).fetchall()


async def item(connection: Connection, place: Place, id: UUID) -> dict[str, Any] | None:
    """One row, if the account may see it."""
    cursor = connection.cursor(row_factory=dict_row)
    sql = _ITEM + "WHERE c.id = %(id)s AND" + _SEEN
    return await (await cursor.execute(sql, place.values | {"id": id})).fetchone()


async def counts(
    connection: Connection, place: Place, type: str | None, name: str
) -> tuple[int, int, int]:
    """How many are favorites, private, shared."""
    cursor = await connection.execute(
        _COUNTS,
        place.values | {"type": type, "name": name},
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0], row[1], row[2]


async def save(connection: Connection, place: Place, values: dict[str, Any], now: datetime) -> bool:
    """Inserts or replaces; False when that id is somebody else's, or of another project."""
    cursor = await connection.execute(
        _SAVE,
        place.values | values | {"now": now},
    )
    return await cursor.fetchone() is not None


async def delete(connection: Connection, place: Place, ids: list[UUID]) -> list[UUID]:
    """The ids that are gone now."""
    cursor = await connection.execute(
        _DELETE,
        place.values | {"ids": ids},
    )
    return [row[0] for row in await cursor.fetchall()]


async def folders(
    connection: Connection, place: Place, parent: UUID | None
) -> list[dict[str, Any]]:
    """The account's folders in a folder."""
    cursor = connection.cursor(row_factory=dict_row)
    found = await cursor.execute(
        "SELECT * FROM content_folders WHERE project_id = %(project)s AND owner_id = %(account)s"
        " AND parent_id IS NOT DISTINCT FROM %(parent)s::uuid ORDER BY lower(name), id",
        place.values | {"parent": parent},
    )
    return await found.fetchall()


async def is_folder(connection: Connection, place: Place, id: UUID) -> bool:
    """Whether the account has that folder."""
    cursor = await connection.execute(
        "SELECT 1 FROM content_folders WHERE id = %(id)s AND project_id = %(project)s"
        " AND owner_id = %(account)s",
        place.values | {"id": id},
    )
    return await cursor.fetchone() is not None


async def make_folder(
    connection: Connection, place: Place, name: str, parent: UUID | None, now: datetime
) -> dict[str, Any]:
    """The new row."""
    cursor = connection.cursor(row_factory=dict_row)
    made = await cursor.execute(
        "INSERT INTO content_folders (project_id, owner_id, parent_id, name, created_at)"
        " VALUES (%(project)s, %(account)s, %(parent)s, %(name)s, %(now)s) RETURNING *",
        place.values | {"parent": parent, "name": name, "now": now},
    )
    row = await made.fetchone()
    assert row is not None
    return row


async def rename_folder(connection: Connection, place: Place, id: UUID, name: str) -> bool:
    """False when the account has no such folder."""
    cursor = await connection.execute(
        "UPDATE content_folders SET name = %(name)s WHERE id = %(id)s"
        " AND project_id = %(project)s AND owner_id = %(account)s",
        place.values | {"id": id, "name": name},
    )
    return cursor.rowcount > 0


async def delete_folders(connection: Connection, place: Place, ids: list[UUID]) -> list[UUID]:
    """Removes folders, and says which there were; what lay in them stays, outside of any."""
    cursor = await connection.execute(
        "DELETE FROM content_folders WHERE id = ANY(%(ids)s) AND project_id = %(project)s"
        " AND owner_id = %(account)s RETURNING id",
        place.values | {"ids": ids},
    )
    return [row[0] async for row in cursor]
