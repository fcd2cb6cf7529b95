"""The SQL of project rows. Each change says from which state it leads, so that two who do the same
thing at once do it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from supaplane_api.database import Connection


@dataclass(frozen=True)
class Entry:
    """A row as the sweeper reads it."""

    id: int
    ref: str
    organization_id: int
    organization_slug: str
    cr_namespace: str
    cr_name: str
    cr_uid: str | None
    state: Literal["reserved", "live"]
    requested: Mapping[str, Any]
    created_at: datetime


async def reserve(
    connection: Connection,
    *,
    ref: str,
    organization_id: int,
    cr_namespace: str,
    requested: Mapping[str, Any],
    created_by: int,
    now: datetime,
) -> int | None:
    """The number of the reserved row; None when the ref is taken."""
    cursor = await connection.execute(
        "INSERT INTO project (ref, organization_id, cr_namespace, cr_name, state, requested,"
        " created_by, created_at) VALUES (%s, %s, %s, %s, 'reserved', %s, %s, %s)"
        " ON CONFLICT DO NOTHING RETURNING id",
        (ref, organization_id, cr_namespace, ref, Jsonb(dict(requested)), created_by, now),
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def make_live(connection: Connection, number: int, *, cr_uid: str, now: datetime) -> bool:
    """Reserved becomes live; False: it was not reserved any more."""
    cursor = await connection.execute(
        "UPDATE project SET state = 'live', cr_uid = %s, live_at = %s"
        " WHERE id = %s AND state = 'reserved'",
        (cr_uid, now, number),
    )
    return cursor.rowcount == 1


async def unreserve(connection: Connection, number: int) -> bool:
    """Forgets a reservation that led to nothing."""
    cursor = await connection.execute(
        "DELETE FROM project WHERE id = %s AND state = 'reserved'", (number,)
    )
    return cursor.rowcount == 1


async def make_gone(connection: Connection, number: int, *, cr_uid: str, now: datetime) -> bool:
    """Live becomes gone, if it still is about that SupabaseProject."""
    cursor = await connection.execute(
        "UPDATE project SET state = 'gone', gone_at = %s"
        " WHERE id = %s AND state = 'live' AND cr_uid = %s",
        (now, number, cr_uid),
    )
    return cursor.rowcount == 1


async def adopt(
    connection: Connection,
    *,
    ref: str,
    organization: str,
    cr_namespace: str,
    cr_name: str,
    cr_uid: str,
    requested: Mapping[str, Any],
    now: datetime,
) -> int | None:
    """A row for a SupabaseProject that somebody else made, if there is such an organization.

    None: there is none, or ref or name have a row already.
    """
    cursor = await connection.execute(
        "INSERT INTO project (ref, organization_id, cr_namespace, cr_name, cr_uid, state,"
        " requested, created_at, live_at)"
        " SELECT %(ref)s, o.id, %(namespace)s, %(name)s, %(uid)s, 'live', %(requested)s, %(now)s,"
        " %(now)s FROM organizations o WHERE o.slug = %(organization)s"
        " ON CONFLICT DO NOTHING RETURNING id",
        {
            "ref": ref,
            "namespace": cr_namespace,
            "name": cr_name,
            "uid": cr_uid,
            "requested": Jsonb(dict(requested)),
            "organization": organization,
            "now": now,
        },
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def move(connection: Connection, number: int, *, organization: str) -> int | None:
    """Gives a live project to the organization that its SupabaseProject names, if it exists."""
    cursor = await connection.execute(
        "UPDATE project SET organization_id = o.id FROM organizations o"
        " WHERE project.id = %s AND project.state = 'live' AND o.slug = %s"
        " AND project.organization_id <> o.id RETURNING o.id",
        (number, organization),
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def entries(connection: Connection) -> list[Entry]:
    """All rows of this cluster that are not gone."""
    cursor = connection.cursor(row_factory=class_row(Entry))
    await cursor.execute(
        "SELECT p.id, p.ref, p.organization_id, o.slug AS organization_slug, p.cr_namespace,"
        " p.cr_name, p.cr_uid, p.state, p.requested, p.created_at"
        " FROM project p JOIN organizations o ON o.id = p.organization_id"
        " WHERE p.state <> 'gone' AND p.cluster = 'local' ORDER BY p.id"
    )
    return await cursor.fetchall()
