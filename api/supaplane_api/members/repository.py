"""The SQL of members and invitations. What changes members first locks their organization."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.rows import class_row

from supaplane_api.access import Role
from supaplane_api.database import Connection


@dataclass(frozen=True)
class MemberRow:
    """Somebody in an organization."""

    account_id: int
    gotrue_id: UUID
    email: str
    username: str
    role: str
    project_refs: list[str] | None
    has_factor: bool


@dataclass(frozen=True)
class InvitationRow:
    """An invitation, without its token."""

    id: int
    organization_id: int
    organization_slug: str
    organization_name: str
    email: str
    role: str
    project_refs: list[str] | None
    created_at: datetime
    expires_at: datetime


_MEMBERS: LiteralString = (
    "SELECT a.id AS account_id, a.gotrue_id, a.email, a.username, m.role, m.project_refs,"
    " EXISTS (SELECT FROM factors f WHERE f.account_id = a.id AND f.verified_at IS NOT NULL)"
    " AS has_factor FROM organization_membership m JOIN accounts a ON a.id = m.account_id"
    " WHERE m.organization_id = %s"
)
_INVITATIONS: LiteralString = (
    "SELECT i.id, i.organization_id, o.slug AS organization_slug, o.name AS organization_name,"
    " i.email, i.role, i.project_refs, i.created_at, i.expires_at"
    " FROM invitations i JOIN organizations o ON o.id = i.organization_id"
)


async def lock(connection: Connection, organization_id: int) -> bool:
    """Nobody else changes who is a member until the transaction ends; False: it is gone."""
    cursor = await connection.execute(
        "SELECT 1 FROM organizations WHERE id = %s FOR UPDATE", (organization_id,)
    )
    return await cursor.fetchone() is not None


async def members(connection: Connection, organization_id: int) -> list[MemberRow]:
    """All members, in the order in which they came."""
    cursor = connection.cursor(row_factory=class_row(MemberRow))
    sql = _MEMBERS + " ORDER BY m.created_at, a.id"
    return await (await cursor.execute(sql, (organization_id,))).fetchall()


async def member(connection: Connection, organization_id: int, gotrue_id: UUID) -> MemberRow | None:
    """That member."""
    cursor = connection.cursor(row_factory=class_row(MemberRow))
    sql = _MEMBERS + " AND a.gotrue_id = %s"
    return await (await cursor.execute(sql, (organization_id, gotrue_id))).fetchone()


async def owners(connection: Connection, organization_id: int) -> int:
    """How many there are who own all of it."""
    cursor = await connection.execute(
        "SELECT count(*) FROM organization_membership"
        " WHERE organization_id = %s AND role = 'Owner' AND project_refs IS NULL",
        (organization_id,),
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def set_role(
    connection: Connection,
    organization_id: int,
    account_id: int,
    role: Role,
    project_refs: list[str] | None,
) -> None:
    """Gives a member a role, in those projects or in all."""
    await connection.execute(
        "UPDATE organization_membership SET role = %s, project_refs = %s"
        " WHERE organization_id = %s AND account_id = %s",
        (role.value, project_refs, organization_id, account_id),
    )


async def remove(connection: Connection, organization_id: int, account_id: int) -> None:
    """Ends a membership."""
    await connection.execute(
        "DELETE FROM organization_membership WHERE organization_id = %s AND account_id = %s",
        (organization_id, account_id),
    )


async def add(connection: Connection, row: InvitationRow, account_id: int, now: datetime) -> bool:
    """Makes an invited account a member; False: it is one already."""
    cursor = await connection.execute(
        "INSERT INTO organization_membership"
        " (organization_id, account_id, role, project_refs, created_at)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (row.organization_id, account_id, row.role, row.project_refs, now),
    )
    return cursor.rowcount == 1


async def project_names(connection: Connection, organization_id: int) -> set[str]:
    """Refs of the organization's projects."""
    cursor = await connection.execute(
        "SELECT ref FROM project WHERE organization_id = %s AND state <> 'gone'",
        (organization_id,),
    )
    return {row[0] for row in await cursor.fetchall()}


async def invitations(connection: Connection, organization_id: int) -> list[InvitationRow]:
    """All invitations, also those that have expired."""
    cursor = connection.cursor(row_factory=class_row(InvitationRow))
    sql = _INVITATIONS + " WHERE i.organization_id = %s ORDER BY i.id"
    return await (await cursor.execute(sql, (organization_id,))).fetchall()


async def invitation(connection: Connection, slug: str, token_hash: bytes) -> InvitationRow | None:
    """The invitation of that token to that organization."""
    cursor = connection.cursor(row_factory=class_row(InvitationRow))
    sql = _INVITATIONS + " WHERE o.slug = %s AND (i.token_hash = %s OR i.mailed_hash = %s)"
    return await (await cursor.execute(sql, (slug, token_hash, token_hash))).fetchone()


async def mail_invitation(connection: Connection, id: int, hash: bytes) -> InvitationRow | None:
    """The invitation, with the token of its mail kept; None: accepted, or withdrawn."""
    await connection.execute("UPDATE invitations SET mailed_hash = %s WHERE id = %s", (hash, id))
    cursor = connection.cursor(row_factory=class_row(InvitationRow))
    return await (await cursor.execute(_INVITATIONS + " WHERE i.id = %s", (id,))).fetchone()


async def invite(
    connection: Connection,
    *,
    organization_id: int,
    email: str,
    role: Role,
    project_refs: list[str] | None,
    token_hash: bytes,
    invited_by: int,
    now: datetime,
    expires_at: datetime,
) -> int:
    """The number of the invitation; an earlier one of that address ends."""
    await connection.execute(
        "DELETE FROM invitations WHERE organization_id = %s AND email = %s",
        (organization_id, email),
    )
    cursor = await connection.execute(
        "INSERT INTO invitations (organization_id, email, role, project_refs, token_hash,"
        " invited_by, created_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (
            organization_id,
            email,
            role.value,
            project_refs,
            token_hash,
            invited_by,
            now,
            expires_at,
        ),
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def withdraw(connection: Connection, organization_id: int, id: int) -> str | None:
    """Ends an invitation; the address that it was for, None: there is none of that number."""
    cursor = await connection.execute(
        "DELETE FROM invitations WHERE organization_id = %s AND id = %s RETURNING email",
        (organization_id, id),
    )
    row = await cursor.fetchone()
    return None if row is None else str(row[0])
