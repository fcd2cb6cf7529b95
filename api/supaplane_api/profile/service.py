"""Changing an account's own names, and ending its sessions."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from supaplane_api import audit
from supaplane_api.caller import Caller
from supaplane_api.problems import Invalid, Missing
from supaplane_api.services import Services

from . import repository
from .schemas import UpdateProfile


async def update(
    services: Services, caller: Caller, wish: UpdateProfile, address: str | None
) -> Caller:
    """The caller after the change. Raises Invalid for another e-mail address."""
    if wish.primary_email not in (None, caller.email):
        raise Invalid("primary_email: change it with PUT /auth/user")
    now = services.outside.now()
    async with services.database.transaction() as connection:
        await repository.update_names(
            connection,
            caller.account_id,
            first_name=wish.first_name,
            last_name=wish.last_name,
            username=wish.username,
            now=now,
        )
        await audit.record(
            connection,
            "profile.update",
            actor=audit.Actor(caller.account_id, caller.email, address),
            now=now,
        )
    return replace(
        caller,
        first_name=wish.first_name or caller.first_name,
        last_name=wish.last_name or caller.last_name,
        username=wish.username or caller.username,
    )


async def end_session(
    services: Services, caller: Caller, session: UUID, address: str | None
) -> None:
    """Ends one of the caller's sessions. Raises Missing."""
    now = services.outside.now()
    async with services.database.transaction() as connection:
        if not await repository.end_session(connection, caller.account_id, session, now):
            raise Missing("You have no such session")
        await audit.record(
            connection,
            "session.end",
            actor=audit.Actor(caller.account_id, caller.email, address),
            now=now,
            details={"session": str(session)},
        )
