"""The SQL of access tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from supaplane_api.database import Connection


@dataclass(frozen=True)
class AccessToken:
    """A token as its owner sees it, without itself."""

    id: int
    name: str
    token_alias: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


async def of_account(connection: Connection, account_id: int) -> list[AccessToken]:
    """All tokens of an account, the newest first."""
    cursor = connection.cursor(row_factory=class_row(AccessToken))
    sql = (
        "SELECT id, name, token_alias, created_at, expires_at, last_used_at FROM access_tokens"
        " WHERE account_id = %s ORDER BY id DESC"
    )
    return await (await cursor.execute(sql, (account_id,))).fetchall()


async def insert(
    connection: Connection,
    *,
    account_id: int,
    name: str,
    token_hash: bytes,
    token_alias: str,
    expires_at: datetime | None,
    now: datetime,
) -> AccessToken:
    """Keeps a token's hash."""
    cursor = connection.cursor(row_factory=class_row(AccessToken))
    sql = (
        "INSERT INTO access_tokens"
        " (account_id, name, token_hash, token_alias, created_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)"
        " RETURNING id, name, token_alias, created_at, expires_at, last_used_at"
    )
    values = (account_id, name, token_hash, token_alias, now, expires_at)
    row = await (await cursor.execute(sql, values)).fetchone()
    assert row is not None
    return row


async def delete(connection: Connection, *, account_id: int, id: int) -> AccessToken | None:
    """Revokes a token of that account; None: it has none of that number."""
    cursor = connection.cursor(row_factory=class_row(AccessToken))
    sql = (
        "DELETE FROM access_tokens WHERE account_id = %s AND id = %s"
        " RETURNING id, name, token_alias, created_at, expires_at, last_used_at"
    )
    return await (await cursor.execute(sql, (account_id, id))).fetchone()
