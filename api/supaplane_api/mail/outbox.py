"""The SQL of mail that waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from supaplane_api.database import Connection

MOST_WAITING = 10_000
PATIENCE = timedelta(hours=1)
"""A mail that could not be sent within this time is given up."""
Outcome = Literal["sent", "nobody", "gave up"]


class Kind(StrEnum):
    """What a mail is about."""

    SIGN_UP = "signup"
    RESEND = "resend"
    RECOVERY = "recovery"
    EMAIL_CHANGE = "email_change"
    EMAIL_CHANGED = "email_changed"
    PASSWORD_CHANGED = "password_changed"
    INVITATION = "invitation"


@dataclass(frozen=True)
class Waiting:
    """A mail that this process is to send."""

    id: int
    kind: str
    recipient: str
    details: Mapping[str, Any]
    deadline: datetime
    tries: int
    """This one included."""


async def put(
    connection: Connection,
    kind: Kind,
    recipient: str,
    *,
    now: datetime,
    details: Mapping[str, Any] | None = None,
) -> bool:
    """Asks for a mail; `details` must hold no secret. False: too many wait already."""
    cursor = await connection.execute(
        "INSERT INTO outbox (kind, recipient, details, created_at, deadline, next_try_at)"
        " SELECT %s, %s, %s, %s, %s, %s"
        " WHERE (SELECT count(*) FROM outbox WHERE done_at IS NULL) < %s",
        (
            kind.value,
            recipient,
            Jsonb(dict(details or {})),
            now,
            now + PATIENCE,
            now,
            MOST_WAITING,
        ),
    )
    return cursor.rowcount == 1


async def take(connection: Connection, *, now: datetime, again_at: datetime) -> Waiting | None:
    """The mail that is due for longest. No other replica takes it before `again_at`."""
    cursor = connection.cursor(row_factory=class_row(Waiting))
    sql = (
        "UPDATE outbox SET tries = tries + 1, next_try_at = %s WHERE id = ("
        " SELECT id FROM outbox WHERE done_at IS NULL AND next_try_at <= %s"
        " ORDER BY next_try_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)"
        " RETURNING id, kind, recipient, details, deadline, tries"
    )
    return await (await cursor.execute(sql, (again_at, now))).fetchone()


async def finish(
    connection: Connection,
    id: int,
    outcome: Outcome,
    *,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Nothing is to be done for it any more."""
    await connection.execute(
        "UPDATE outbox SET done_at = %s, outcome = %s, reason = %s WHERE id = %s",
        (now, outcome, reason, id),
    )


async def put_off(connection: Connection, id: int, *, again_at: datetime, reason: str) -> None:
    """It could not be sent now."""
    await connection.execute(
        "UPDATE outbox SET next_try_at = %s, reason = %s WHERE id = %s", (again_at, reason, id)
    )


async def forget_old(connection: Connection, *, done_before: datetime, most: int) -> int:
    """Deletes what was done long ago, at most so many; how many it was."""
    cursor = await connection.execute(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE done_at < %s LIMIT %s)",
        (done_before, most),
    )
    return cursor.rowcount
