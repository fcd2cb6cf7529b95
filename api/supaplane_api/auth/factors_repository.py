"""The SQL of second factors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from supaplane_api.database import Connection


@dataclass(frozen=True)
class FactorRow:
    """A second factor; the secret is sealed."""

    id: UUID
    friendly_name: str
    secret: bytes
    verified_at: datetime | None
    last_step: int
    created_at: datetime
    updated_at: datetime


async def of_account(connection: Connection, account_id: int) -> list[FactorRow]:
    """The factors of an account, the oldest first."""
    cursor = connection.cursor(row_factory=class_row(FactorRow))
    sql = (
        "SELECT id, friendly_name, secret, verified_at, last_step, created_at, updated_at"
        " FROM factors WHERE account_id = %s ORDER BY created_at, id"
    )
    return await (await cursor.execute(sql, (account_id,))).fetchall()


async def locked(connection: Connection, account_id: int, id: UUID) -> FactorRow | None:
    """That factor of that account, until the transaction ends nobody else's."""
    cursor = connection.cursor(row_factory=class_row(FactorRow))
    sql = (
        "SELECT id, friendly_name, secret, verified_at, last_step, created_at, updated_at"
        " FROM factors WHERE account_id = %s AND id = %s FOR UPDATE"
    )
    return await (await cursor.execute(sql, (account_id, id))).fetchone()


async def insert(
    connection: Connection, *, account_id: int, friendly_name: str, secret: bytes, now: datetime
) -> UUID:
    """A factor that was not verified yet."""
    cursor = await connection.execute(
        "INSERT INTO factors (account_id, friendly_name, secret, created_at, updated_at)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING id",
        (account_id, friendly_name, secret, now, now),
    )
    row = await cursor.fetchone()
    assert row is not None
    number: UUID = row[0]
    return number


async def delete(connection: Connection, id: UUID) -> None:
    """Forgets a factor and its challenges."""
    await connection.execute("DELETE FROM factors WHERE id = %s", (id,))


async def forget_unverified(connection: Connection, account_id: int) -> None:
    """Forgets factors whose enrolment was not finished."""
    await connection.execute(
        "DELETE FROM factors WHERE account_id = %s AND verified_at IS NULL", (account_id,)
    )


async def challenge(
    connection: Connection, factor: UUID, *, now: datetime, expires_at: datetime
) -> UUID:
    """A new challenge; those of the factor that have expired are forgotten."""
    await connection.execute(
        "DELETE FROM factor_challenges WHERE factor_id = %s AND expires_at <= %s", (factor, now)
    )
    cursor = await connection.execute(
        "INSERT INTO factor_challenges (factor_id, expires_at) VALUES (%s, %s) RETURNING id",
        (factor, expires_at),
    )
    row = await cursor.fetchone()
    assert row is not None
    number: UUID = row[0]
    return number


async def answered(connection: Connection, factor: UUID, id: UUID, now: datetime) -> bool:
    """Takes a challenge away; False: there is none such, or it has expired."""
    cursor = await connection.execute(
        "DELETE FROM factor_challenges WHERE id = %s AND factor_id = %s AND expires_at > %s",
        (id, factor, now),
    )
    return cursor.rowcount == 1


async def verified(
    connection: Connection, factor: UUID, session: UUID, *, step: int, now: datetime
) -> None:
    """The code was right: for the factor, and for the session that gave it."""
    await connection.execute(
        "UPDATE factors SET verified_at = coalesce(verified_at, %s), last_step = %s,"
        " updated_at = %s WHERE id = %s",
        (now, step, now, factor),
    )
    await connection.execute("UPDATE sessions SET verified_at = %s WHERE id = %s", (now, session))
