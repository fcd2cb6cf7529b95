"""Organizations over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from supaplane_api.access import Right
from supaplane_api.caller import Caller, OrganizationAccess
from supaplane_api.deps import AnyAccount, Member, TheClient, TheServices
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE

from . import service
from .entitlements import Entitlements, entitlements
from .schemas import (
    CreateOrganization,
    FreeProjectLimit,
    Organization,
    OrganizationDetail,
    Subscription,
    UpdatedOrganization,
    UpdateOrganization,
)

router = APIRouter(prefix="/organizations", tags=["organizations"])
CallerHere = Annotated[Caller, Depends(AnyAccount())]
Reader = Annotated[OrganizationAccess, Depends(Member(Right.ORGANIZATION_READ))]
ANSWERS = may_answer(DATABASE)


@router.get("", openapi_extra=ANSWERS)
async def organizations(caller: CallerHere) -> list[Organization]:
    """The caller's organizations, by name."""
    return [Organization.of(membership) for membership in caller.memberships]


@router.post("", status_code=201, openapi_extra=may_answer(DATABASE, conflicts=True))
async def create(
    services: TheServices, client: TheClient, caller: CallerHere, body: CreateOrganization
) -> Organization:
    """Makes an organization; its slug never changes."""
    return Organization.of(await service.create(services, caller, body, client.address))


@router.get("/{slug}", openapi_extra=ANSWERS)
async def organization(access: Reader) -> OrganizationDetail:
    """One organization, by slug or number."""
    return OrganizationDetail.model_validate(Organization.of(access.organization).model_dump())


@router.patch("/{slug}", openapi_extra=ANSWERS)
async def update(
    services: TheServices,
    client: TheClient,
    access: Annotated[OrganizationAccess, Depends(Member(Right.ORGANIZATION_UPDATE))],
    body: UpdateOrganization,
) -> UpdatedOrganization:
    """Renames the organization, or changes where its bills would go."""
    now = await service.update(services, access, body, client.address)
    return UpdatedOrganization(
        id=now.organization_id, name=now.name, slug=now.slug, billing_email=now.billing_email
    )


@router.delete("/{slug}", status_code=204, openapi_extra=may_answer(DATABASE, conflicts=True))
async def delete(
    services: TheServices,
    client: TheClient,
    access: Annotated[OrganizationAccess, Depends(Member(Right.ORGANIZATION_DELETE))],
) -> Response:
    """Deletes an organization that has no projects."""
    await service.delete(services, access, client.address)
    return Response(status_code=204)


@router.get("/{slug}/members/reached-free-project-limit", openapi_extra=ANSWERS)
async def reached_free_project_limit(access: Reader) -> list[FreeProjectLimit]:
    """Members who may not make more projects for free: nobody, there is no limit."""
    return []


@router.get("/{slug}/billing/subscription", openapi_extra=ANSWERS)
async def billing_subscription(
    services: TheServices,
    access: Annotated[OrganizationAccess, Depends(Member(Right.BILLING_READ))],
) -> Subscription:
    """The plan: free, for there is no billing here."""
    return service.subscription(services.outside.now())


@router.get("/{slug}/entitlements", openapi_extra=ANSWERS)
async def what_is_allowed(access: Reader) -> Entitlements:
    """What the organization may use: all that this platform can do."""
    return entitlements()
