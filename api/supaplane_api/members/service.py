"""Inviting, joining, changing roles and leaving."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from supaplane_api import audit
from supaplane_api.access import ROLE_IDS, Right, Role, may_make, require
from supaplane_api.auth import confirm
from supaplane_api.auth.limits import network_of
from supaplane_api.caller import Caller, OrganizationAccess, demand_factor
from supaplane_api.database import Connection
from supaplane_api.mail.outbox import Kind
from supaplane_api.problems import Clash, Invalid, Missing, NotAllowed
from supaplane_api.services import Services

from . import repository, roles
from .repository import InvitationRow, MemberRow
from .schemas import AssignRole, InvitationState, Invite

LIFE = timedelta(days=7)
_BYTES = 24


@dataclass(frozen=True)
class Made:
    """An invitation with its token, which nobody sees again."""

    id: int
    email: str
    expires_at: datetime
    token: str
    link: str | None


@asynccontextmanager
async def _changing(services: Services, access: OrganizationAccess) -> AsyncIterator[Connection]:
    """A transaction in which nobody else changes the organization's members."""
    async with services.database.transaction() as connection:
        if not await repository.lock(connection, access.organization.organization_id):
            raise Missing("There is no such organization, or you are not a member of it")
        yield connection


async def invite(
    services: Services, access: OrganizationAccess, wish: Invite, address: str | None
) -> Made:
    """An invitation for a week, by mail as well where mail is sent.

    Raises Invalid, NotAllowed, Clash, TooMany, Unavailable.
    """
    if wish.require_sso:
        raise Invalid("require_sso: single sign-on is not offered here; leave it out")
    role, organization = roles.role_of(wish.role_id), access.organization
    _may_give(organization.role, role)
    services.limits.invite.take(str(access.caller.account_id), network_of(address))
    if services.post is not None:
        services.limits.mail_recipient.take(wish.email)
    now = services.outside.now()
    token = services.outside.random_bytes(_BYTES).hex()
    async with _changing(services, access) as connection:
        there = await repository.members(connection, organization.organization_id)
        if any(row.email == wish.email for row in there):
            raise Clash("email: is a member already; change the role instead")
        refs = await _refs(connection, organization.organization_id, role, wish)
        number = await repository.invite(
            connection,
            organization_id=organization.organization_id,
            email=wish.email,
            role=role,
            project_refs=refs,
            token_hash=_stored(token),
            invited_by=access.caller.account_id,
            now=now,
            expires_at=now + LIFE,
        )
        details = {"email": wish.email, "role": role.value, "projects": refs}
        await _record(services, connection, access, "member.invite", details, address)
        if services.post is not None:
            letter = {"invitation": number, "inviter": access.caller.email}
            await confirm.put(services, connection, Kind.INVITATION, wish.email, letter)
    services.mail_due.set()
    link = None
    if services.settings.studio_origin is not None:
        query = urlencode({"token": token, "slug": organization.slug})
        link = f"{services.settings.studio_origin}/join?{query}"
    return Made(number, wish.email, now + LIFE, token, link)


async def withdraw(
    services: Services, access: OrganizationAccess, id: int, address: str | None
) -> None:
    """Ends an invitation. Raises Missing."""
    async with _changing(services, access) as connection:
        email = await repository.withdraw(connection, access.organization.organization_id, id)
        if email is None:
            raise Missing("There is no invitation of this number: it was accepted or withdrawn")
        await _record(services, connection, access, "invitation.delete", {"email": email}, address)


async def state_of(services: Services, caller: Caller, slug: str, token: str) -> InvitationState:
    """What somebody with the link is told before they join."""
    row = await services.database.read(
        lambda connection: repository.invitation(connection, slug, _stored(token))
    )
    matches = row is not None and row.email == caller.email
    return InvitationState(
        organization_name=row.organization_name if row else "",
        invite_id=row.id if row else None,
        authorized_user=matches,
        email_match=matches,
        expired_token=row is not None and row.expires_at <= services.outside.now(),
        token_does_not_exist=row is None,
    )


async def accept(
    services: Services, caller: Caller, slug: str, token: str, address: str | None
) -> InvitationRow:
    """Joins. Raises Missing, NotAllowed for another's invitation, Invalid for an expired one."""
    now = services.outside.now()
    async with services.database.transaction() as connection:
        row = await repository.invitation(connection, slug, _stored(token))
        if row is None or not await repository.lock(connection, row.organization_id):
            raise Missing("There is no such invitation: it was accepted or withdrawn")
        if row.email != caller.email:
            raise NotAllowed("The invitation is for another e-mail address: sign in with that one")
        if row.expires_at <= now:
            raise Invalid("The invitation has expired: ask for another")
        if await repository.withdraw(connection, row.organization_id, row.id) is None:
            raise Missing("There is no such invitation: it was accepted or withdrawn")
        await repository.add(connection, row, caller.account_id, now)
        await audit.record(
            connection,
            "member.join",
            actor=audit.Actor(caller.account_id, caller.email, address),
            now=now,
            organization_id=row.organization_id,
            details={"role": row.role, "projects": row.project_refs},
        )
    return row


async def assign(
    services: Services,
    access: OrganizationAccess,
    gotrue_id: UUID,
    wish: AssignRole,
    address: str | None,
) -> None:
    """Gives a member a role. Raises Invalid, NotAllowed, Missing, Clash for the last owner."""
    role, number = roles.role_of(wish.role_id), access.organization.organization_id
    _may_give(access.organization.role, role)
    async with _changing(services, access) as connection:
        row = await _member(connection, number, gotrue_id)
        _may_give(access.organization.role, Role(row.role))
        refs = await _refs(connection, number, role, wish)
        if role is not Role.OWNER:
            await _keep_an_owner(connection, number, row)
        await repository.set_role(connection, number, row.account_id, role, refs)
        details = {"email": row.email, "role": role.value, "projects": refs}
        await _record(services, connection, access, "member.role", details, address)


async def limit(
    services: Services,
    access: OrganizationAccess,
    gotrue_id: UUID,
    role_id: int,
    refs: list[str],
    address: str | None,
) -> None:
    """Limits the role that a member has to other projects. Raises as `assign`."""
    held = await _held(services, access, gotrue_id, role_id)
    wish = AssignRole(role_id=ROLE_IDS[held], role_scoped_projects=refs)
    await assign(services, access, gotrue_id, wish, address)


async def unassign(
    services: Services,
    access: OrganizationAccess,
    gotrue_id: UUID,
    role_id: int,
    address: str | None,
) -> None:
    """Takes a member's only role, which ends the membership. Raises as `remove`."""
    await _held(services, access, gotrue_id, role_id)
    await remove(services, access, gotrue_id, address)


async def remove(
    services: Services, access: OrganizationAccess, gotrue_id: UUID, address: str | None
) -> None:
    """Puts a member out, or leaves. Raises NotAllowed, Missing, Clash for the last owner."""
    organization = access.organization
    leaving = gotrue_id == access.caller.gotrue_id
    async with _changing(services, access) as connection:
        row = await _member(connection, organization.organization_id, gotrue_id)
        if not leaving:
            demand_factor(access.caller, organization)
            require(organization.role, Right.MEMBERS_MANAGE, what="organization")
            _may_give(organization.role, Role(row.role))
        await _keep_an_owner(connection, organization.organization_id, row)
        await repository.remove(connection, organization.organization_id, row.account_id)
        action = "member.leave" if leaving else "member.remove"
        await _record(services, connection, access, action, {"email": row.email}, address)


async def _held(
    services: Services, access: OrganizationAccess, gotrue_id: UUID, role_id: int
) -> Role:
    number = access.organization.organization_id
    row = await services.database.read(lambda c: repository.member(c, number, gotrue_id))
    if row is not None:
        limited = row.project_refs is not None
        if roles.number_of(Role(row.role), row.account_id, limited=limited) == role_id:
            return Role(row.role)
    raise Missing("There is no such member with this role")


async def _member(connection: Connection, number: int, gotrue_id: UUID) -> MemberRow:
    row = await repository.member(connection, number, gotrue_id)
    if row is None:
        raise Missing("There is no such member")
    return row


def _may_give(mine: Role, other: Role) -> None:
    if not may_make(mine, other):
        raise NotAllowed(f"As {mine.value} you may not give or take the role {other.value}")


async def _keep_an_owner(connection: Connection, number: int, row: MemberRow) -> None:
    owns = Role(row.role) is Role.OWNER and row.project_refs is None
    if owns and await repository.owners(connection, number) < 2:
        raise Clash("The last owner stays: make somebody else an owner first")


async def _refs(
    connection: Connection, number: int, role: Role, wish: AssignRole | Invite
) -> list[str] | None:
    refs: Sequence[str] = wish.role_scoped_projects or ()
    if not refs:
        return None
    if role is Role.OWNER:
        raise Invalid("role_scoped_projects: an owner owns all projects; leave it out")
    if not set(refs) <= await repository.project_names(connection, number):
        raise Invalid("role_scoped_projects: must be refs of projects of this organization")
    return sorted(set(refs))


async def _record(
    services: Services,
    connection: Connection,
    access: OrganizationAccess,
    action: str,
    details: Mapping[str, Any],
    address: str | None,
) -> None:
    await audit.record(
        connection,
        action,
        actor=audit.Actor(access.caller.account_id, access.caller.email, address),
        now=services.outside.now(),
        organization_id=access.organization.organization_id,
        details=details,
    )


def _stored(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
