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
