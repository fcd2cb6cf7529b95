"""The audit log over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from supaplane_api.access import Right
from supaplane_api.caller import Caller, OrganizationAccess
from supaplane_api.deps import AnyAccount, Member, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE

from . import repository
from .schemas import AuditLog, Logged

router = APIRouter(tags=["audit"])
SHOWN_DAYS = 365
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)
Since = Annotated[datetime | None, Query(alias="iso_timestamp_start")]
Until = Annotated[datetime | None, Query(alias="iso_timestamp_end")]


@router.get("/profile/audit", openapi_extra=may_answer(DATABASE))
async def of_account(
    services: TheServices,
    caller: Annotated[Caller, Depends(AnyAccount())],
    since: Since = None,
    until: Until = None,
) -> AuditLog:
    """What the caller changed, the newest first, at most a thousand."""
    found = await services.database.read(
        lambda connection: repository.entries(
            connection,
            since=_aware(since, FIRST),
            until=_aware(until, LAST),
            actor_id=caller.account_id,
        )
    )
    return AuditLog(result=[Logged.of(entry) for entry in found], retention_period=SHOWN_DAYS)


@router.get("/organizations/{slug}/audit", openapi_extra=may_answer(DATABASE))
async def of_organization(
    services: TheServices,
    access: Annotated[OrganizationAccess, Depends(Member(Right.AUDIT_READ))],
    since: Since = None,
    until: Until = None,
) -> AuditLog:
    """What was changed in the organization, the newest first, at most a thousand."""
    found = await services.database.read(
        lambda connection: repository.entries(
            connection,
            since=_aware(since, FIRST),
            until=_aware(until, LAST),
            organization_id=access.organization.organization_id,
        )
    )
    return AuditLog(result=[Logged.of(entry) for entry in found], retention_period=SHOWN_DAYS)


def _aware(given: datetime | None, otherwise: datetime) -> datetime:
    """With a zone; what has none is UTC."""
    time = given or otherwise
    return time if time.tzinfo else time.replace(tzinfo=UTC)
