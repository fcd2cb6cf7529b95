"""Members, roles and invitations over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response

from supaplane_api.access import Right
from supaplane_api.caller import Caller, OrganizationAccess
from supaplane_api.deps import AnyAccount, SlugPath, TheClient, TheServices
from supaplane_api.deps import Member as Rule
from supaplane_api.describe import may_answer
from supaplane_api.problems import DATABASE, MAIL

from . import factor_rule, repository, service
from .schemas import (
    AssignRole,
    FactorRule,
    FactorRuleTold,
    Invitation,
    Invitations,
    InvitationState,
    Invite,
    Invited,
    LimitRole,
    Member,
    Roles,
)

router = APIRouter(prefix="/organizations/{slug}", tags=["members"])
Reader = Annotated[OrganizationAccess, Depends(Rule(Right.MEMBERS_READ))]
Leaver = Annotated[OrganizationAccess, Depends(Rule(Right.MEMBERS_LEAVE))]
Manager = Annotated[OrganizationAccess, Depends(Rule(Right.MEMBERS_MANAGE))]
Anybody = Annotated[Caller, Depends(AnyAccount())]
TokenPath = Annotated[str, Path(max_length=128, description="The token of an invitation's link")]
NumberPath = Annotated[int, Path(ge=1, lt=2**63)]
READ = may_answer(DATABASE)
CHANGE = may_answer(DATABASE, conflicts=True)


@router.get("/members", openapi_extra=READ)
async def members(services: TheServices, access: Reader) -> list[Member]:
    """Who is in the organization, in the order in which they came."""
    number = access.organization.organization_id
    rows = await services.database.read(lambda c: repository.members(c, number))
    return [Member.of(row) for row in rows]


@router.get("/roles", openapi_extra=READ)
async def roles(services: TheServices, access: Reader) -> Roles:
    """The four roles, and those that are limited to projects."""
    number = access.organization.organization_id
    return Roles.of(await services.database.read(lambda c: repository.members(c, number)))


@router.get("/members/invitations", openapi_extra=READ)
async def invitations(services: TheServices, access: Reader) -> Invitations:
    """Who was invited and has not joined; never the tokens."""
    number = access.organization.organization_id
    rows = await services.database.read(lambda c: repository.invitations(c, number))
    return Invitations(invitations=[Invitation.of(row) for row in rows])


@router.post(
    "/members/invitations",
    status_code=201,
    openapi_extra=may_answer(DATABASE, MAIL, conflicts=True, limited=True),
)
async def invite(
    services: TheServices, client: TheClient, access: Manager, body: Invite
) -> Invited:
    """Invites an address for a week, where mail is sent also by mail; an earlier one ends."""
    made = await service.invite(services, access, body, client.address)
    return Invited(
        id=made.id,
        invited_email=made.email,
        expires_at=made.expires_at.isoformat(),
        token=made.token,
        link=made.link,
    )


@router.delete("/members/invitations/{id}", status_code=204, openapi_extra=READ)
async def withdraw(
    services: TheServices, client: TheClient, access: Manager, id: NumberPath
) -> Response:
    """Withdraws an invitation."""
    await service.withdraw(services, access, id, client.address)
    return Response(status_code=204)


@router.get("/members/invitations/{token}", openapi_extra=READ)
async def invitation(
    services: TheServices, caller: Anybody, slug: SlugPath, token: TokenPath
) -> InvitationState:
    """What an invitation is worth to the caller, who need not be a member."""
    return await service.state_of(services, caller, slug, token)


@router.post(
    "/members/invitations/{token}",
    status_code=201,
    openapi_extra=may_answer(DATABASE, not_found=True, refuses=True),
)
async def accept(
    services: TheServices, client: TheClient, caller: Anybody, slug: SlugPath, token: TokenPath
) -> Invitation:
    """Joins the organization."""
    return Invitation.of(await service.accept(services, caller, slug, token, client.address))


@router.get("/members/mfa/enforcement", openapi_extra=READ)
async def told_factor_rule(access: Reader) -> FactorRuleTold:
    """Whether members are let in with a second factor only."""
    return FactorRuleTold(enforced=access.organization.requires_factor)


@router.patch("/members/mfa/enforcement", openapi_extra=may_answer(DATABASE, refuses=True))
async def change_factor_rule(
    services: TheServices, client: TheClient, access: Manager, body: FactorRule
) -> FactorRuleTold:
    """Demands a second factor of every member, or no longer. Whoever demands it has one. Sessions
    without are answered 403 at once, and access tokens of accounts that have none."""
    await factor_rule.change(services, access, body.enforced, client.address)
    return FactorRuleTold(enforced=body.enforced)


@router.patch("/members/{gotrue_id}", status_code=204, openapi_extra=CHANGE)
async def assign(
    services: TheServices, client: TheClient, access: Manager, gotrue_id: UUID, body: AssignRole
) -> Response:
    """Gives a member a role, in all projects or in some."""
    await service.assign(services, access, gotrue_id, body, client.address)
    return Response(status_code=204)


@router.delete("/members/{gotrue_id}", status_code=204, openapi_extra=CHANGE)
async def remove(
    services: TheServices, client: TheClient, access: Leaver, gotrue_id: UUID
) -> Response:
    """Puts a member out; everybody may leave by themselves, but for the last owner."""
    await service.remove(services, access, gotrue_id, client.address)
    return Response(status_code=204)


@router.put("/members/{gotrue_id}/roles/{role_id}", status_code=204, openapi_extra=CHANGE)
async def limit(
    services: TheServices,
    client: TheClient,
    access: Manager,
    gotrue_id: UUID,
    role_id: NumberPath,
    body: LimitRole,
) -> Response:
    """Limits the role that a member has to other projects."""
    refs = body.role_scoped_projects
    await service.limit(services, access, gotrue_id, role_id, refs, client.address)
    return Response(status_code=204)


@router.delete("/members/{gotrue_id}/roles/{role_id}", status_code=204, openapi_extra=CHANGE)
async def unassign(
    services: TheServices,
    client: TheClient,
    access: Manager,
    gotrue_id: UUID,
    role_id: NumberPath,
) -> Response:
    """Takes a member's role. It is the only one, so that the membership ends."""
    await service.unassign(services, access, gotrue_id, role_id, client.address)
    return Response(status_code=204)
