"""The SQL of organizations and their members."""

from __future__ import annotations

from datetime import datetime

from supaplane_api.access import Role
from supaplane_api.database import Connection


async def insert_organization(
    connection: Connection,
    *,
    slug: str,
    name: str,
    billing_email: str | None,
    created_by: int,
    now: datetime,
) -> int | None:
    """The number of the new organization; None when the slug is taken."""
    cursor = await connection.execute(
        "INSERT INTO organizations (slug, name, billing_email, created_by, created_at, updated_at)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (slug) DO NOTHING RETURNING id",
        (slug, name, billing_email, created_by, now, now),
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def insert_member(
    connection: Connection, *, organization_id: int, account_id: int, role: Role, now: datetime
) -> None:
    """Makes an account a member."""
    await connection.execute(
        "INSERT INTO organization_membership (organization_id, account_id, role, created_at)"
        " VALUES (%s, %s, %s, %s)",
        (organization_id, account_id, role.value, now),
    )


async def update_organization(
    connection: Connection,
    organization_id: int,
    *,
    name: str | None,
    billing_email: str | None,
    now: datetime,
) -> None:
    """Changes what is given; the slug never changes."""
    await connection.execute(
        "UPDATE organizations SET name = coalesce(%s, name),"
        " billing_email = coalesce(%s, billing_email), updated_at = %s WHERE id = %s",
        (name, billing_email, now, organization_id),
    )


async def delete_organization(connection: Connection, organization_id: int) -> bool:
    """Deletes it with its memberships and invitations; False: it has projects."""
    await connection.execute(
        "SELECT 1 FROM organizations WHERE id = %s FOR UPDATE", (organization_id,)
    )
    cursor = await connection.execute(
        "SELECT 1 FROM project WHERE organization_id = %s AND state <> 'gone' LIMIT 1",
        (organization_id,),
    )
    if await cursor.fetchone() is not None:
        return False
    # What is left are rows of deleted projects, which only the audit log still speaks of.
    await connection.execute("DELETE FROM project WHERE organization_id = %s", (organization_id,))
    await connection.execute("DELETE FROM organizations WHERE id = %s", (organization_id,))
    return True
