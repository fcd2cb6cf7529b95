"""The SQL of the tokens and codes in mails."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from supaplane_api.database import Connection

from .one_time import MOST_WRONG_CODES, Challenge, Purpose
from .repository import Account


@dataclass(frozen=True)
class Found:
    """A token that counts, and whose it is."""

    token_hash: bytes
    code_hash: bytes | None
    wrong_codes: int
    email: str | None
    """Of an `email_change`: the new address."""
    challenge: Challenge | None
    account: Account


_FOUND: LiteralString = (
    "SELECT t.token_hash, t.code_hash, t.wrong_codes, t.email, t.code_challenge,"
    " t.code_challenge_method, a.id, a.gotrue_id, a.email, a.password_hash, a.created_at,"
    " a.updated_at, a.last_sign_in_at, a.confirmed_at FROM one_time_tokens t"
    " JOIN accounts a ON a.id = t.account_id"
    " WHERE a.disabled_at IS NULL AND t.kind = %s AND t.expires_at > %s"
)


async def replace(
    connection: Connection,
    account_id: int,
    purpose: Purpose,
    *,
    token_hash: bytes,
    now: datetime,
    expires_at: datetime,
    code_hash: bytes | None = None,
    email: str | None = None,
    challenge: Challenge | None = None,
) -> None:
    """Keeps a token; an earlier one of that account for that purpose ends."""
    await connection.execute(
        "INSERT INTO one_time_tokens (token_hash, account_id, kind, code_hash, email,"
        " code_challenge, code_challenge_method, created_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (account_id, kind) DO UPDATE SET token_hash = excluded.token_hash,"
        " code_hash = excluded.code_hash, wrong_codes = 0, email = excluded.email,"
        " code_challenge = excluded.code_challenge,"
        " code_challenge_method = excluded.code_challenge_method,"
        " created_at = excluded.created_at, expires_at = excluded.expires_at",
        (
            token_hash,
            account_id,
            purpose.value,
            code_hash,
            email,
            challenge.challenge if challenge else None,
            challenge.method if challenge else None,
            now,
            expires_at,
        ),
    )


async def by_token(
    connection: Connection, purpose: Purpose, token_hash: bytes, now: datetime
) -> Found | None:
    """The token, locked until the transaction ends."""
    sql = _FOUND + " AND t.token_hash = %s FOR UPDATE OF t, a"
    cursor = await connection.execute(sql, (purpose.value, now, token_hash))
    return _found(await cursor.fetchone())


async def by_code(
    connection: Connection, purpose: Purpose, account_id: int, code_hash: bytes, now: datetime
) -> Found | None:
    """The token that came with this code, locked; a wrong code is counted, and few are taken."""
    sql = _FOUND + " AND t.account_id = %s FOR UPDATE OF t, a"
    cursor = await connection.execute(sql, (purpose.value, now, account_id))
    found = _found(await cursor.fetchone())
    if found is None or found.code_hash is None or found.wrong_codes >= MOST_WRONG_CODES:
        return None
    if hmac.compare_digest(found.code_hash, code_hash):
        return found
    await connection.execute(
        "UPDATE one_time_tokens SET wrong_codes = wrong_codes + 1 WHERE token_hash = %s",
        (found.token_hash,),
    )
    return None


async def delete(connection: Connection, token_hash: bytes) -> None:
    """It counted, and does not again."""
    await connection.execute("DELETE FROM one_time_tokens WHERE token_hash = %s", (token_hash,))


async def delete_all(connection: Connection, account_id: int) -> None:
    """Links and codes that were sent to an account end."""
    await connection.execute("DELETE FROM one_time_tokens WHERE account_id = %s", (account_id,))


async def forget_old(connection: Connection, *, expired_before: datetime, most: int) -> int:
    """Deletes expired tokens, at most so many; how many it was."""
    cursor = await connection.execute(
        "DELETE FROM one_time_tokens WHERE token_hash IN (SELECT token_hash FROM one_time_tokens"
        " WHERE expires_at < %s LIMIT %s)",
        (expired_before, most),
    )
    return cursor.rowcount


def _found(row: tuple[Any, ...] | None) -> Found | None:
    if row is None:
        return None
    token_hash, code_hash, wrong_codes, email, challenge, method, *account = row
    return Found(
        token_hash,
        code_hash,
        wrong_codes,
        email,
        Challenge(challenge, method) if challenge else None,
        Account(*account),
    )
