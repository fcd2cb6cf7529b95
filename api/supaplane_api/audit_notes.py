"""What somebody did in a project, noted where no change of a row is to go with it."""

from __future__ import annotations

from typing import Any

from . import audit
from .access import Right, may
from .caller import ProjectAccess
from .services import Services


async def note(
    services: Services, access: ProjectAccess, action: str, address: str | None, **details: Any
) -> None:
    """Writes into the audit log who did what. `details` must hold no secret, and no SQL."""
    async with services.database.connection() as to:
        await audit.record(
            to,
            action,
            actor=audit.Actor(access.caller.account_id, access.caller.email, address),
            now=services.outside.now(),
            organization_id=access.organization.organization_id,
            project_ref=access.project.ref,
            details=details,
        )


async def note_page_with_keys(
    services: Services, access: ProjectAccess, address: str | None, *keys: str
) -> None:
    """Notes that these keys are about to be told, on a page that is asked for again and again.

    Once an hour for each person, project, address and set of keys: more rows would say no more.
    Roles that are not told secret keys are not noted.
    """
    if not may(access.role, Right.PROJECT_SECRETS):
        return
    who = (str(access.caller.account_id), access.project.ref, address or "", *keys)
    if not services.limits.reveal.allows(*who):
        return
    try:
        await note(services, access, "project.keys.reveal", address, keys=list(keys))
    except BaseException:
        services.limits.reveal.forget(*who)
        raise
