"""The SQL that reads the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from supaplane_api.database import Connection

MOST = 1000


@dataclass(frozen=True)
class Entry:
    """Somebody changed something."""

    id: int
    occurred_at: datetime
    action: str
    actor_id: int | None
    actor_email: str | None
    organization_slug: str | None
    project_ref: str | None
    details: dict[str, Any]
    address: str | None


async def entries(
    connection: Connection,
    *,
    since: datetime,
    until: datetime,
    organization_id: int | None = None,
    actor_id: int | None = None,
) -> list[Entry]:
    """The newest entries of an organization, or by an account, within that time."""
    cursor = connection.cursor(row_factory=class_row(Entry))
    sql = (
        "SELECT l.id, l.occurred_at, l.action, l.actor_id, l.actor_email,"
        " o.slug AS organization_slug, l.project_ref, l.details, l.address"
        " FROM audit_log l LEFT JOIN organizations o ON o.id = l.organization_id"
        " WHERE l.occurred_at BETWEEN %(since)s AND %(until)s"
        " AND (%(organization)s::bigint IS NULL OR l.organization_id = %(organization)s)"
        " AND (%(actor)s::bigint IS NULL OR l.actor_id = %(actor)s)"
        " ORDER BY l.id DESC LIMIT %(most)s"
    )
    values = {
        "since": since,
        "until": until,
        "organization": organization_id,
        "actor": actor_id,
        "most": MOST,
    }
    return await (await cursor.execute(sql, values)).fetchall()
