"""The SQL of an account's own data and its sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from supaplane_api.database import Connection


@dataclass(frozen=True)
class SessionRow:
    """A sign-in that has not ended."""

    id: UUID
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    address: str | None
    user_agent: str | None


async def update_names(
    connection: Connection,
    account_id: int,
    *,
    first_name: str | None,
    last_name: str | None,
    username: str | None,
    now: datetime,
) -> None:
    """Changes what is given."""
    await connection.execute(
        "UPDATE accounts SET first_name = coalesce(%s, first_name),"
        " last_name = coalesce(%s, last_name), username = coalesce(%s, username),"
        " updated_at = %s WHERE id = %s",
        (first_name, last_name, username, now, account_id),
    )


async def sessions(connection: Connection, account_id: int, now: datetime) -> list[SessionRow]:
    """The account's sessions, the newest first."""
    cursor = connection.cursor(row_factory=class_row(SessionRow))
    sql = (
        "SELECT id, created_at, refreshed_at, expires_at, address, user_agent FROM sessions"
        " WHERE account_id = %s AND revoked_at IS NULL AND expires_at > %s"
        " ORDER BY created_at DESC LIMIT 1000"
    )
    return await (await cursor.execute(sql, (account_id, now))).fetchall()


async def end_session(
    connection: Connection, account_id: int, session: UUID, now: datetime
) -> bool:
    """Ends one of the account's sessions; False: it has none of that id."""
    cursor = await connection.execute(
        "UPDATE sessions SET revoked_at = %s"
        " WHERE id = %s AND account_id = %s AND revoked_at IS NULL",
        (now, session, account_id),
    )
    return cursor.rowcount == 1
