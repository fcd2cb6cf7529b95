"""The SQL of accounts, sessions and refresh tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString
from uuid import UUID

from psycopg.rows import class_row

from supaplane_api.database import Connection


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in."""

    id: int
    gotrue_id: UUID
    email: str
    password_hash: str
    created_at: datetime
    updated_at: datetime
    last_sign_in_at: datetime | None
    confirmed_at: datetime | None
    """When somebody showed that the address is theirs; None: nobody has."""


Method = Literal["password", "otp"]
"""How a session was opened: `otp` is a link or the digits of a mail."""


@dataclass(frozen=True)
class KnownRefreshToken:
    """A refresh token that was once given out, with its session and account."""

    session_id: UUID
    used_at: datetime | None
    session_created_at: datetime
    session_ended: bool
    verified_at: datetime | None
    """When the code of a second factor was given in the session."""
    method: Method
    account: Account


_ACCOUNTS: LiteralString = (
    "SELECT a.id, a.gotrue_id, a.email, a.password_hash, a.created_at, a.updated_at,"
    " a.last_sign_in_at, a.confirmed_at FROM accounts a WHERE a.disabled_at IS NULL"
)


async def find_account(connection: Connection, email: str) -> Account | None:
    """The account of that address, unless it is disabled."""
    cursor = connection.cursor(row_factory=class_row(Account))
    sql = _ACCOUNTS + " AND a.email = %s"
    return await (await cursor.execute(sql, (email,))).fetchone()


async def account_of_number(connection: Connection, id: int) -> Account | None:
    """That account, unless it is disabled."""
    cursor = connection.cursor(row_factory=class_row(Account))
    sql = _ACCOUNTS + " AND a.id = %s"
    return await (await cursor.execute(sql, (id,))).fetchone()


async def insert_account(
    connection: Connection,
    *,
    email: str,
    username: str,
    password_hash: str,
    now: datetime,
    confirmed: bool = True,
) -> Account | None:
    """The new account; None when the address is taken."""
    cursor = connection.cursor(row_factory=class_row(Account))
    sql = (
        "INSERT INTO accounts AS a"
        " (email, username, password_hash, created_at, updated_at, confirmed_at)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (email) DO NOTHING RETURNING"
        " a.id, a.gotrue_id, a.email, a.password_hash, a.created_at, a.updated_at,"
        " a.last_sign_in_at, a.confirmed_at"
    )
    values = (email, username, password_hash, now, now, now if confirmed else None)
    return await (await cursor.execute(sql, values)).fetchone()


async def replace_unconfirmed(
    connection: Connection, email: str, password_hash: str, now: datetime
) -> int | None:
    """Who signs up last decides about the password of an account that nobody has confirmed.

    The number of the account; None: there is none, or it is confirmed.
    """
    cursor = await connection.execute(
        "UPDATE accounts SET password_hash = %s, updated_at = %s"
        " WHERE email = %s AND confirmed_at IS NULL AND disabled_at IS NULL RETURNING id",
        (password_hash, now, email),
    )
    row = await cursor.fetchone()
    return None if row is None else int(row[0])


async def confirm(connection: Connection, account_id: int, now: datetime) -> None:
    """The address is its owner's."""
    await connection.execute(
        "UPDATE accounts SET confirmed_at = coalesce(confirmed_at, %s) WHERE id = %s",
        (now, account_id),
    )


async def replace_email(connection: Connection, account_id: int, email: str, now: datetime) -> bool:
    """Another address; False: it is taken."""
    cursor = await connection.execute(
        "UPDATE accounts SET email = %(email)s, updated_at = %(now)s WHERE id = %(id)s"
        " AND NOT EXISTS (SELECT FROM accounts WHERE email = %(email)s)",
        {"email": email, "now": now, "id": account_id},
    )
    return cursor.rowcount == 1


async def account_of_session(
    connection: Connection, session: UUID
) -> tuple[Account, Method, datetime, datetime | None]:
    """The account of a session, how and when it signed in, and when it gave the code of a second
    factor."""
    cursor = await connection.execute(
        "SELECT s.method, s.created_at, s.verified_at, a.id, a.gotrue_id, a.email, a.password_hash,"
        " a.created_at, a.updated_at, a.last_sign_in_at, a.confirmed_at"
        " FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.id = %s",
        (session,),
    )
    row = await cursor.fetchone()
    assert row is not None
    return Account(*row[3:]), row[0], row[1], row[2]


async def replace_password(
    connection: Connection, account_id: int, password_hash: str, now: datetime
) -> None:
    """Keeps the hash of another password."""
    await connection.execute(
        "UPDATE accounts SET password_hash = %s, updated_at = %s WHERE id = %s",
        (password_hash, now, account_id),
    )


async def renew_hash(connection: Connection, account_id: int, password_hash: str) -> None:
    """Keeps a hash of the same password made with today's parameters."""
    await connection.execute(
        "UPDATE accounts SET password_hash = %s WHERE id = %s", (password_hash, account_id)
    )


async def open_session(
    connection: Connection,
    *,
    account_id: int,
    now: datetime,
    expires_at: datetime,
    address: str | None,
    user_agent: str | None,
    method: Method,
) -> UUID:
    """A new session, and the account's time of sign-in."""
    cursor = await connection.execute(
        "WITH signed_in AS (UPDATE accounts SET last_sign_in_at = %(now)s WHERE id = %(account)s)"
        " INSERT INTO sessions"
        " (account_id, created_at, refreshed_at, expires_at, address, user_agent, method)"
        " VALUES (%(account)s, %(now)s, %(now)s, %(expires)s, %(address)s, %(agent)s, %(method)s)"
        " RETURNING id",
        {
            "account": account_id,
            "now": now,
            "expires": expires_at,
            "address": address,
            "agent": user_agent,
            "method": method,
        },
    )
    row = await cursor.fetchone()
    assert row is not None
    session: UUID = row[0]
    return session


async def insert_refresh_token(
    connection: Connection, *, token_hash: bytes, session_id: UUID, now: datetime
) -> None:
    """Keeps a token's hash."""
    await connection.execute(
        "INSERT INTO refresh_tokens (token_hash, session_id, created_at) VALUES (%s, %s, %s)",
        (token_hash, session_id, now),
    )


async def forget_refresh_tokens(connection: Connection, session_id: UUID) -> None:
    """All tokens of a session end."""
    await connection.execute("DELETE FROM refresh_tokens WHERE session_id = %s", (session_id,))


async def find_refresh_token(
    connection: Connection, token_hash: bytes, *, now: datetime
) -> KnownRefreshToken | None:
    """The token, locked together with its session until the transaction ends."""
    cursor = await connection.execute(
        "SELECT s.id, t.used_at, s.created_at,"
        " s.revoked_at IS NOT NULL OR s.expires_at <= %s OR a.disabled_at IS NOT NULL,"
        " s.verified_at, s.method, a.id, a.gotrue_id, a.email, a.password_hash,"
        " a.created_at, a.updated_at, a.last_sign_in_at, a.confirmed_at"
        " FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id"
        " JOIN accounts a ON a.id = s.account_id WHERE t.token_hash = %s FOR UPDATE OF s, t",
        (now, token_hash),
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    return KnownRefreshToken(row[0], row[1], row[2], row[3], row[4], row[5], Account(*row[6:]))


async def use_refresh_token(connection: Connection, token_hash: bytes, now: datetime) -> None:
    """Marks the token as used."""
    await connection.execute(
        "UPDATE refresh_tokens SET used_at = %s WHERE token_hash = %s", (now, token_hash)
    )


async def extend_session(
    connection: Connection, session_id: UUID, *, now: datetime, expires_at: datetime
) -> None:
    """The session was refreshed."""
    await connection.execute(
        "UPDATE sessions SET refreshed_at = %s, expires_at = %s WHERE id = %s",
        (now, expires_at, session_id),
    )


async def revoke_session(connection: Connection, session_id: UUID, now: datetime) -> None:
    """Ends a session: its access tokens are refused from the next request on."""
    await connection.execute(
        "UPDATE sessions SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL",
        (now, session_id),
    )


async def revoke_sessions(
    connection: Connection, account_id: int, now: datetime, *, but: UUID | None = None
) -> None:
    """Ends all sessions of an account, or all others."""
    await connection.execute(
        "UPDATE sessions SET revoked_at = %s WHERE account_id = %s AND revoked_at IS NULL"
        " AND (%s::uuid IS NULL OR id <> %s)",
        (now, account_id, but, but),
    )


async def forget_old(
    connection: Connection, *, ended_before: datetime, used_before: datetime, most: int
) -> int:
    """Deletes ended sessions and long used tokens, at most so many of each; how many it was."""
    sessions = await connection.execute(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions"
        " WHERE expires_at < %s OR revoked_at < %s LIMIT %s)",
        (ended_before, ended_before, most),
    )
    tokens = await connection.execute(
        "DELETE FROM refresh_tokens WHERE token_hash IN (SELECT token_hash FROM refresh_tokens"
        " WHERE used_at < %s LIMIT %s)",
        (used_before, most),
    )
    return sessions.rowcount + tokens.rowcount


async def forget_unconfirmed(connection: Connection, *, made_before: datetime, most: int) -> int:
    """Deletes accounts whose address nobody confirmed, at most so many; how many it was."""
    cursor = await connection.execute(
        "DELETE FROM accounts WHERE id IN (SELECT id FROM accounts"
        " WHERE confirmed_at IS NULL AND created_at < %s LIMIT %s)",
        (made_before, most),
    )
    return cursor.rowcount
