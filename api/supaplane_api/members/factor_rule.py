"""Does an organization demand a second factor of its members? The rule is kept in `caller.py`."""

from __future__ import annotations

from supaplane_api import audit
from supaplane_api.caller import OrganizationAccess
from supaplane_api.problems import NotAllowed
from supaplane_api.services import Services


async def change(
    services: Services, access: OrganizationAccess, enforced: bool, address: str | None
) -> None:
    """Demands one, or no longer. Raises NotAllowed for who would not be let in by it."""
    caller, organization = access.caller, access.organization
    if enforced and not caller.verified:
        raise NotAllowed(
            "Sign in with a second factor of your own first: you would lock yourself out",
            code="insufficient_aal",
        )
    if enforced == organization.requires_factor:
        return
    now = services.outside.now()
    async with services.database.transaction() as connection:
        await connection.execute(
            "UPDATE organizations SET requires_factor = %s, updated_at = %s WHERE id = %s",
            (enforced, now, organization.organization_id),
        )
        await audit.record(
            connection,
            "organization.factor-rule",
            actor=audit.Actor(caller.account_id, caller.email, address),
            now=now,
            organization_id=organization.organization_id,
            details={"enforced": enforced},
        )
