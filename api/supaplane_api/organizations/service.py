"""Making, changing and deleting organizations."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

from supaplane_api import audit
from supaplane_api.access import Role
from supaplane_api.caller import Caller, Membership, OrganizationAccess
from supaplane_api.problems import Clash, Invalid
from supaplane_api.services import Services

from . import repository
from .schemas import CreateOrganization, Subscription, UpdateOrganization

TRIES = 5
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_SUFFIX = 6
_LONGEST_STEM = 40


async def create(
    services: Services, caller: Caller, wish: CreateOrganization, address: str | None
) -> Membership:
    """A new organization with the caller as its owner. Raises Invalid for a paid plan."""
    if wish.tier not in (None, "tier_free"):
        raise Invalid("tier: there are no paid plans on this platform; leave it out or tier_free")
    now = services.outside.now()
    async with services.database.transaction() as connection:
        for _ in range(TRIES):
            slug = slug_for(wish.name, services.outside.random_bytes(_SUFFIX))
            number = await repository.insert_organization(
                connection,
                slug=slug,
                name=wish.name,
                billing_email=caller.email,
                created_by=caller.account_id,
                now=now,
            )
            if number is not None:
                break
        else:
            raise Clash("No free slug was found for this name: try again")
        await repository.insert_member(
            connection,
            organization_id=number,
            account_id=caller.account_id,
            role=Role.OWNER,
            now=now,
        )
        await audit.record(
            connection,
            "organization.create",
            actor=audit.Actor(caller.account_id, caller.email, address),
            now=now,
            organization_id=number,
            details={"name": wish.name, "slug": slug},
        )
    return Membership(number, slug, wish.name, caller.email, Role.OWNER)


async def update(
    services: Services,
    access: OrganizationAccess,
    wish: UpdateOrganization,
    address: str | None,
) -> Membership:
    """The organization after the change. Raises Invalid for what is not offered here."""
    if wish.opt_in_tags:
        raise Invalid("opt_in_tags: the assistant is not offered here; leave it out or empty")
    if wish.additional_billing_emails:
        raise Invalid("additional_billing_emails: there is no billing here; leave it out or empty")
    there, now = access.organization, services.outside.now()
    async with services.database.transaction() as connection:
        await repository.update_organization(
            connection,
            there.organization_id,
            name=wish.name,
            billing_email=wish.billing_email,
            now=now,
        )
        details = {"name": wish.name, "billing_email": wish.billing_email}
        await audit.record(
            connection,
            "organization.update",
            actor=audit.Actor(access.caller.account_id, access.caller.email, address),
            now=now,
            organization_id=there.organization_id,
            details={key: value for key, value in details.items() if value is not None},
        )
    return replace(
        there,
        name=wish.name or there.name,
        billing_email=wish.billing_email or there.billing_email,
    )


async def delete(services: Services, access: OrganizationAccess, address: str | None) -> None:
    """Deletes an organization without projects. Raises Clash."""
    there = access.organization
    async with services.database.transaction() as connection:
        if not await repository.delete_organization(connection, there.organization_id):
            raise Clash("The organization has projects: delete or transfer them first")
        await audit.record(
            connection,
            "organization.delete",
            actor=audit.Actor(access.caller.account_id, access.caller.email, address),
            now=services.outside.now(),
            organization_id=there.organization_id,
            details={"name": there.name, "slug": there.slug},
        )


def slug_for(name: str, random: bytes) -> str:
    """A slug that reads like the name, made unique by one letter or digit per random byte.

    At most 47 characters of lower-case letters, digits and single dashes.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_STEM].strip("-") or "org"
    return f"{stem}-{''.join(_ALPHABET[byte % len(_ALPHABET)] for byte in random)}"


def subscription(now: datetime) -> Subscription:
    """The free plan, counted by calendar months in UTC."""
    start = datetime(now.year, now.month, 1, tzinfo=UTC)
    end = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    return Subscription(
        billing_cycle_anchor=int(start.timestamp()),
        current_period_start=int(start.timestamp()),
        current_period_end=int(end.timestamp()),
    )
