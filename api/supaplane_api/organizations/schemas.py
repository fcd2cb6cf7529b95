"""Organizations as Studio reads and sends them.

There is no billing on a platform of one's own. Pages that ask for a plan are told `free`: that is
what makes Studio offer to pause a project, and it is true.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from supaplane_api.access import Role
from supaplane_api.caller import Membership
from supaplane_api.schema import Answer, Body
from supaplane_api.text import Email, Name, Word


class Plan(Answer):
    """What the organization pays: nothing."""

    id: Literal["free"] = "free"
    name: str = "Free"


class Organization(Answer):
    """An organization of the caller's."""

    id: int
    slug: str
    """Never changes."""
    name: str
    billing_email: str | None
    is_owner: bool
    plan: Plan = Plan()
    opt_in_tags: tuple[str, ...] = ()
    stripe_customer_id: str | None = None
    subscription_id: str | None = None
    billing_partner: str | None = None
    usage_billing_enabled: bool = False
    restriction_status: str | None = None
    restriction_data: dict[str, Any] | None = None
    organization_requires_mfa: bool = False
    organization_missing_address: bool = False
    organization_missing_tax_id: bool = False

    @classmethod
    def of(cls, membership: Membership) -> Organization:
        """The organization as this member sees it."""
        return cls(
            id=membership.organization_id,
            slug=membership.slug,
            name=membership.name,
            billing_email=membership.billing_email,
            is_owner=membership.role is Role.OWNER,
            organization_requires_mfa=membership.requires_factor,
        )


class OrganizationDetail(Organization):
    """An organization with what its own page asks for."""

    has_oriole_project: bool = False


class CreateOrganization(Body):
    """A new organization; whoever makes it is its owner."""

    name: Name
    kind: Word | None = None
    """PERSONAL, COMPANY, …: asked for by Studio's form, and of no consequence here."""
    size: Word | None = None
    tier: Word | None = None
    """Absent or `tier_free`: there are no paid plans."""
    payment_method: Word | None = None
    billing_name: Annotated[str, StringConstraints(max_length=256)] | None = None


class UpdateOrganization(Body):
    """What changes of an organization."""

    name: Name | None = None
    billing_email: Email | None = None
    additional_billing_emails: Annotated[list[Email], Field(max_length=100)] | None = None
    opt_in_tags: Annotated[list[Word], Field(max_length=100)] | None = None
    """Studio's assistant: not offered, so that only an empty list is taken."""


class UpdatedOrganization(Answer):
    """An organization after a change."""

    id: int
    name: str
    slug: str
    billing_email: str | None
    opt_in_tags: tuple[str, ...] = ()
    stripe_customer_id: str = ""


class Subscription(Answer):
    """The plan, in the shape of a subscription."""

    plan: Plan = Plan()
    usage_billing_enabled: bool = False
    billing_via_partner: bool = False
    billing_cycle_anchor: int
    """Unix time: the first of the month."""
    current_period_start: int
    """Unix time."""
    current_period_end: int
    """Unix time."""
    next_invoice_at: int = 0
    customer_balance: int = 0
    payment_method_type: str = "none"
    addons: tuple[dict[str, Any], ...] = ()
    project_addons: tuple[dict[str, Any], ...] = ()
    scheduled_plan_change: dict[str, Any] | None = None
    nano_enabled: bool = True


class FreeProjectLimit(Answer):
    """A member who may not make more projects for free; there is no such limit here."""

    free_project_limit: int
    primary_email: str
    username: str
