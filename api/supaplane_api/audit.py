"""What did people change? One row per change, written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from . import logs
from .database import Connection


@dataclass(frozen=True)
class Actor:
    """Who did it; None is the platform itself."""

    account_id: int | None
    email: str | None
    address: str | None = None


PLATFORM = Actor(None, None)


async def record(
    connection: Connection,
    action: str,
    *,
    actor: Actor,
    now: datetime,
    organization_id: int | None = None,
    project_ref: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Writes the row. `details` must hold no secret."""
    await connection.execute(
        "INSERT INTO audit_log (occurred_at, action, actor_id, actor_email, organization_id,"
        " project_ref, details, request_id, address) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            now,
            action,
            actor.account_id,
            actor.email,
            organization_id,
            project_ref,
            Jsonb(dict(details or {})),
            logs.request_id.get(),
            actor.address,
        ),
    )
