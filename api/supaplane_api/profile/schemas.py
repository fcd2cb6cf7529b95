"""The caller's own account in Studio's words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import StringConstraints

from supaplane_api.access import studio_actions
from supaplane_api.caller import Caller, Membership
from supaplane_api.schema import Answer, Body
from supaplane_api.text import LONGEST_PASSWORD

DISABLED_FEATURES = (
    "billing:account_data",
    "billing:credits",
    "billing:invoices",
    "billing:payment_methods",
    "organization_members:create",
    "organization_members:delete",
    "organizations:delete",
    "profile:update",
    "projects:transfer",
)
"""What Studio hides, because it does not exist here or is not served yet."""


class Profile(Answer):
    """The account."""

    id: int
    auth0_id: str = ""
    gotrue_id: str
    primary_email: str
    username: str
    first_name: str | None
    last_name: str | None
    mobile: str | None = None
    is_alpha_user: bool = False
    is_sso_user: bool = False
    free_project_limit: int | None = None
    disabled_features: tuple[str, ...] = DISABLED_FEATURES

    @classmethod
    def of(cls, caller: Caller) -> Profile:
        """The caller's own."""
        return cls(
            id=caller.account_id,
            gotrue_id=str(caller.gotrue_id),
            primary_email=caller.email,
            username=caller.username,
            first_name=caller.first_name,
            last_name=caller.last_name,
        )


class Permission(Answer):
    """What the caller may do in one organization; `%` stands for anything."""

    organization_id: int
    organization_slug: str
    project_ids: tuple[int, ...] = ()
    """Empty: all projects."""
    project_refs: tuple[str, ...] = ()
    """Empty: all projects."""
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("%",)
    condition: dict[str, Any] | None = None
    restrictive: bool = False

    @classmethod
    def of(cls, membership: Membership) -> Permission:
        """What that role may do in that organization."""
        return cls(
            organization_id=membership.organization_id,
            organization_slug=membership.slug,
            actions=studio_actions(membership.role),
        )


class PasswordCheck(Body):
    """A password to be judged; it is neither kept nor logged."""

    password: Annotated[str, StringConstraints(max_length=4 * LONGEST_PASSWORD)]


class Feedback(Answer):
    """What would make it better."""

    warning: str
    suggestions: list[str]


class Result(Answer):
    """How hard it is to guess."""

    score: int
    """0 (at once) to 4 (very hard)."""
    feedback: Feedback


class PasswordChecked(Answer):
    """The judgement."""

    result: Result
